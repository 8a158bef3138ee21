/**
 * A TypeScript source file, parsed: syntax tree, comments, imports.
 *
 * The parser is the bundler's own: the compiler has no programmatic interface any more. It sees one file at a time and
 * no types, which is all that laws about imports and comments need.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { parseSync, type ParseResult } from "rolldown/utils"

export type Statement = ParseResult["program"]["body"][number]
export type Comment = ParseResult["comments"][number]

export interface Import {
  readonly specifier: string
  readonly line: number
  /** `import type` and `export type`: gone at run time. */
  readonly typeOnly: boolean
}

export interface Source {
  readonly file: string
  readonly text: string
  readonly body: ReadonlyArray<Statement>
  readonly comments: ReadonlyArray<Comment>
  readonly imports: ReadonlyArray<Import>
}

const parsed = new Map<string, Source>()

/** Reads and parses a file; a second call gives the first answer. */
export const sourceOf = (file: string): Source => {
  const known = parsed.get(file)
  if (known !== undefined) return known
  const source = parseSource(file, readFileSync(file, "utf8"))
  parsed.set(file, source)
  return source
}

export const parseSource = (file: string, text: string): Source => {
  const { comments, errors, module, program } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message ?? ""}`)
  return { file, text, body: program.body, comments, imports: importsOf(text, module) }
}

/** The number of the line that holds a character, from 1. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length

function importsOf(text: string, module: ParseResult["module"]): ReadonlyArray<Import> {
  const at = (start: number, specifier: string): Import => ({
    specifier,
    line: lineAt(text, start),
    typeOnly: /^(?:import|export)\s+type\s/.test(text.slice(start, start + 80))
  })
  return [
    ...module.staticImports.map(({ moduleRequest, start }) => at(start, moduleRequest.value)),
    ...module.staticExports.flatMap(({ entries, start }) => {
      const request = entries[0]?.moduleRequest?.value
      return request === undefined ? [] : [at(start, request)]
    }),
    ...module.dynamicImports.map(({ moduleRequest: { end, start } }) => at(start, text.slice(start + 1, end - 1)))
  ].toSorted((one, other) => one.line - other.line)
}

/** The file a relative import means, or nothing for a package. */
export const resolveRelative = (from: string, specifier: string): string | undefined => {
  if (!specifier.startsWith(".")) return undefined
  const file = resolve(dirname(from), specifier)
  if (!existsSync(file)) throw new Error(`${from} imports ${specifier}, which does not exist`)
  return file
}

/** The file and every file it reaches through relative imports, itself first. */
export const reachable = (file: string): ReadonlyArray<Source> => {
  const seen = new Map<string, Source>()
  const waiting = [file]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    const source = sourceOf(next)
    seen.set(next, source)
    for (const { specifier } of source.imports) {
      const target = resolveRelative(next, specifier)
      if (target !== undefined) waiting.push(target)
    }
  }
  return [...seen.values()]
}
