import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { kindOfKey } from './keys.ts'
import { maskLooks, mayLookSecret } from './looks.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
/** Drawn by chance, in pieces, so that nobody takes it for a key of ours. */
const RUN = ['Hx7', 'bQ2mVt9LpKd4RwZs8Nc3Jf6YgA1eUoTi5XhBvMqEnWaSrDkPzCyGlFjIuO', 'xT7bQ2mVt9LpKd4RwZs8Nc3Jf6YgA'].join('')

test.each([
  "mysql -u root -p'hunter-7Q' db",
  'mysqldump -uroot -phunter-7Q db',
  'sshpass -p hunter-7Q ssh host',
  'docker login -u u -p hunter-7Q registry.example',
  'sqlcmd -S h -U sa -P hunter-7Q -Q x',
  'mongosh -u u -p hunter-7Q h',
  '7z x -phunter-7Q a.7z',
  'openssl enc -k hunter-7Q -aes',
  'keytool -storepass hunter-7Q -x',
  'lftp -u u,hunter-7Q h',
  'echo hunter-7Q | docker login --password-stdin',
  'echo hunter-7Q | passwd --stdin bob',
  'echo hunter-7Q | sudo -S x',
  'xfreerdp /u:a /p:hunter-7Q',
  'net use z: //h/s hunter-7Q /user:u',
  'password: >-\n  hunter-7Q',
  'curl -u admin:hunter-7Q https://x.example',
  'curl --user admin:hunter-7Q https://x.example',
  "smbclient //h/s -U 'u%hunter-7Q'",
  'redis-cli -h h -a hunter-7Q ping',
  'htpasswd -b file user hunter-7Q',
  'net user bob hunter-7Q /add',
  "echo 'root:hunter-7Q' | chpasswd",
  'echo "db:5432:app:u:hunter-7Q" >> ~/.pgpass',
  'machine h.example login u password hunter-7Q',
  'ConvertTo-SecureString -String "hunter-7Q" -AsPlainText -Force',
  'aws configure set aws_secret_access_key hunter-7Qabc',
  'sqlplus scott/hunter-7Q@orcl',
  'jdbc:oracle:thin:scott/hunter-7Q@//host:1521/x',
  'root:hunter-7Q@tcp(db:3306)/app',
  "ALTER USER u WITH PASSWORD 'hunter-7Q'",
  "CREATE LOGIN x WITH PASSWORD = N'hunter-7Q'",
  "CREATE USER 'u'@'%' IDENTIFIED BY 'hunter-7Q'",
  'Driver={ODBC};Server=x;UID=u;PWD={hunter-7Q;more};',
  'the password is hunter-7Q',
  'Password for admin: hunter-7Q',
  'password -> hunter-7Q',
  'the api key is hunter-7Q',
  "https://x.example/users?$filter=password%20eq%20'hunter-7Q'",
  '<ns:Password xsi:type="s">hunter-7Q</ns:Password>',
  'pass\u200bword=hunter-7Q',
  'pass\u00adword=hunter-7Q',
  'ｐａｓｓｗｏｒｄ＝hunter-7Q',
  'password：hunter-7Q',
  'pаssword=hunter-7Q',
  'https://x.example/a;jsessionid=hunter-7Q',
  `Bearer\n${RUN.slice(0, 30)}hunter-7Q`,
])('a secret is known by the words around it: %s', (text) => {
  expect(mayLookSecret(text)).toBe(true)
  const masked = maskLooks(text)
  expect(masked).not.toContain('hunter-7Q')
  expect(maskLooks(masked)).toBe(masked)
})

test.each([
  `${RUN.slice(0, 86)}==`,
  `use ${RUN.slice(0, 86)}== for it`,
  `${RUN.slice(0, 33)}+AEhAbCdEf=`.replace('AbCdEf', 'AbCdE1').slice(0, 44),
  `${RUN.slice(0, 42)}AzSeAbCdEf`,
  `${RUN.slice(0, 44)}AzFuAbCdEf==`,
  `${RUN.slice(0, 76)}AZDOAbCd`,
  `AKIAIOSFODNN7EXAMPLE,${RUN.slice(0, 40)}`,
  `https://api.telegram.org/bot123456789:A${RUN.slice(0, 34)}/sendMessage`,
  `1.AXo${RUN.slice(0, 40)}.AgABAAEAAAD${RUN.slice(0, 60)}`,
  `https://d.cloudfront.net/x?Policy=${RUN}__&Key-Pair-Id=K1`,
  base64(`<samlp:Response>${RUN}</samlp:Response>`),
  base64('user:u password:hunter-7Q'),
  gzipSync('export DB_PASSWORD=hunter-7Q').toString('base64'),
  base64(JSON.stringify({ prompt: 'What is the weather like in Oslo?' })),
  base64(`#!/bin/bash\nexport DB_PASSWORD=${RUN}\n`),
  `sk-${RUN.slice(0, 22)}`,
  `ghp_${RUN.slice(0, 8)}\u200b${RUN.slice(8, 40)}`,
])('a key is known by its shape: %s', (text) => {
  expect(mayLookSecret(text)).toBe(true)
  const masked = maskLooks(text)
  expect(masked.length).toBeLessThan(text.length - 9)
  expect(maskLooks(masked)).toBe(masked)
})

test.each(['contraseña', 'mot_de_passe', 'kennwort', 'ｐａｓｓｗｏｒｄ', 'pass%77ord', 'pass\u200bword', 'pin', 'password_1', 'passwordConfirmation'])(
  'a key that names a secret in other writing or another language: %s',
  (key) => expect(kindOfKey(key)).toBe('secret'),
)

test.each([
  'The password is incorrect or has expired',
  'Reset password (self-service)',
  'Invalid token: the security token included in the request is expired',
  'Rotate the password policy every 90 days',
  'AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID',
  'docker run -p 8080:80 x',
  'mysql -u root -p db',
  'curl -u admin https://x.example',
  '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Αγγελική',
  'Иван Петров',
  'Weather\u00a0Agent',
])('an innocent text stays: %s', (text) => expect(maskLooks(text)).toBe(text))
