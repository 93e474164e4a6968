/**
 * The programs of Apache Kafka for development and tests: fetched once by Maven into `.cache/kafka/<version>/`, run with the machine's Java.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The version that docker-compose.yml runs, too. Its brokers need Java 17. */
export const KAFKA_VERSION = '4.2.0'
const LOG4J_VERSION = '2.24.3'
const OLDEST_JAVA = 17
const CACHE = join(import.meta.dirname, '..', '.cache', 'kafka')
const FETCH_TIMEOUT_MS = 10 * 60_000

/** Java or Maven is not there. The message says what to do. */
export class MissingProgram extends Error {
  override readonly name = 'MissingProgram'
}

/**
 * Gives the class path of Kafka, after fetching its jars where they are not there yet.
 * @throws MissingProgram without Java 17 or, when something has to be fetched, without Maven
 */
export async function kafkaClassPath(): Promise<string> {
  await checkJava()
  const folder = join(CACHE, KAFKA_VERSION)
  const libs = join(folder, 'libs')
  if (!(await exists(libs))) await fetchJars(libs)
  await writeFile(join(folder, 'log4j2.properties'), QUIET_LOG)
  // The folder comes first: log4j looks for its settings on the class path.
  return [folder, join(libs, '*')].join(process.platform === 'win32' ? ';' : ':')
}

/** Only what is wrong, and the one line that says that a broker is ready. */
const QUIET_LOG = `rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
logger.start.name = kafka.server.KafkaRaftServer
logger.start.level = INFO
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
`

async function checkJava(): Promise<void> {
  const { stderr } = await run('java', ['-version']).catch(() => {
    throw new MissingProgram(
      `Kafka needs Java ${OLDEST_JAVA} or later, and there is no "java" here. Install a JRE (Debian: openjdk-17-jre-headless), or set KAFKA_BROKERS to a running cluster.`,
    )
  })
  const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  if (version < OLDEST_JAVA)
    throw new MissingProgram(
      `Kafka ${KAFKA_VERSION} needs Java ${OLDEST_JAVA} or later, this is ${version || 'an unknown version'}. Set KAFKA_BROKERS to a running cluster to do without.`,
    )
}

/** Into a folder of its own that is renamed when complete: a fetch that was killed leaves nothing that looks whole. */
async function fetchJars(libs: string): Promise<void> {
  await run('mvn', ['--version']).catch(() => {
    throw new MissingProgram('Kafka has to be fetched once, by Maven, and there is no "mvn" here. Install Maven, or set KAFKA_BROKERS to a running cluster.')
  })
  process.stderr.write(`Fetching Apache Kafka ${KAFKA_VERSION} with Maven …\n`)
  const work = join(CACHE, `fetch-${process.pid}`)
  await mkdir(work, { recursive: true })
  try {
    await writeFile(join(work, 'pom.xml'), POM)
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime'], { cwd: work, timeout: FETCH_TIMEOUT_MS })
    await mkdir(join(libs, '..'), { recursive: true })
    // Somebody else may have been faster; then theirs is as good.
    await rename(join(work, 'libs'), libs).catch(async (error: unknown) => {
      if (!(await exists(libs))) throw error
    })
  } catch (error) {
    const { stdout = '', message = String(error) } = error as { stdout?: string; message?: string }
    throw new Error(`Maven could not fetch Kafka: ${(stdout || message).trim().split('\n').slice(0, 5).join('\n')}`, { cause: error })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG4J_VERSION}</version></dependency>
  </dependencies>
</project>
`

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
