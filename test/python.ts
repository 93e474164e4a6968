/** Tools of Python that tests run: each in a virtual environment of its own under `node_modules/.cache`, pinned with everything it needs. */
import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** Runs a program to its end; null when it does not exist. */
export async function run(program: string, args: readonly string[], { quiet = false, cwd = ROOT } = {}): Promise<number | null> {
  const child = spawn(program, args, { stdio: quiet ? 'ignore' : 'inherit', cwd })
  return await new Promise((resolve) => {
    child.on('error', () => resolve(null))
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

/**
 * Makes the environment on the first run.
 * @param name of its folder
 * @param requirements file with every package and its version
 * @returns the folder of its programs; null when there is no Python (3.10 or newer, with venv and pip) to make it with
 */
export async function pythonTools(name: string, requirements: string): Promise<string | null> {
  const folder = join(ROOT, 'node_modules', '.cache', name)
  const bin = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin')
  const stamp = join(folder, 'installed.txt')
  const wanted = await readFile(requirements, 'utf8')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return bin
  let python: string | null = null
  for (const one of ['python3', 'python'])
    python ??= (await run(one, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'], { quiet: true })) === 0 ? one : null
  if (python === null) return null
  await rm(folder, { recursive: true, force: true })
  if ((await run(python, ['-m', 'venv', folder])) !== 0) throw new Error('Python could not make a virtual environment.')
  if ((await run(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])) !== 0)
    throw new Error(`${requirements} could not be installed.`)
  await writeFile(stamp, wanted)
  return bin
}
