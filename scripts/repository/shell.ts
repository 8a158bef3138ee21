/**
 * Programs, started from the scripts: output is collected, a failure is an answer and not an exception.
 */
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { root } from "./workspace.ts"

export interface Outcome {
  readonly code: number
  readonly output: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}

/** Runs a program to its end; standard output and error come back as one text. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  { cwd = root, env = process.env, timeoutMs = 300_000 }: RunOptions = {}
): Promise<Outcome> =>
  new Promise((resolve) => {
    let output = ""
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs })
    const collect = (chunk: Buffer): void => void (output += chunk.toString())
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    child.on("error", (error) => resolve({ code: 1, output: error.message }))
    child.on("close", (code, signal) =>
      resolve({ code: code ?? 1, output: signal === null ? output : `${output}\nended by ${signal}` })
    )
  })

/** Like `run`, but a failure ends the script with the program's output. */
export const mustRun = async (command: string, args: ReadonlyArray<string>, options?: RunOptions): Promise<string> => {
  const { code, output } = await run(command, args, options)
  if (code !== 0) fail(`${command} ${args.join(" ")} failed with code ${code}\n${output}`)
  return output
}

/** Applies a function to all items, at most one per core at a time; answers in order. */
export const inParallel = async <A, B>(items: ReadonlyArray<A>, f: (item: A) => Promise<B>): Promise<Array<B>> => {
  const results: Array<B> = []
  const waiting = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await f(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

export const fail = (message: string): never => {
  console.error(message)
  process.exit(1)
}
