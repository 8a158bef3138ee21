/**
 * Code fences: the examples in doc comments and in Markdown.
 *
 * A fence is told by its info string: `ts` is compiled and run, `ts no-run` is only compiled, `text` and other
 * languages are left alone. Everything else that looks like TypeScript is refused, so that no example escapes by a typo.
 */
import { readFileSync } from "node:fs"
import { type Comment, lineAt, sourceOf } from "./source.ts"

export interface Fence {
  readonly file: string
  /** The line of the first line of code, from 1. */
  readonly line: number
  readonly info: string
  readonly code: string
}

/** Every fence of a file: of its doc comments when it is TypeScript, of the whole text otherwise. */
export const fencesOf = (file: string): ReadonlyArray<Fence> => {
  if (!file.endsWith(".ts")) return cut(file, readFileSync(file, "utf8"), 1)
  const { comments, text } = sourceOf(file)
  return comments.filter(isDoc).flatMap((comment) => cut(file, docText(comment), lineAt(text, comment.start)))
}

export const isDoc = (comment: Comment): boolean => comment.type === "Block" && comment.value.startsWith("*")

/** What a doc comment says, line by line, without its stars. */
export const docText = (comment: Comment): string =>
  comment.value
    .slice(1)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")

/** Cuts the fences out of a text whose first line is line `first` of the file. */
export const cut = (file: string, text: string, first: number): ReadonlyArray<Fence> => {
  const fences: Array<Fence> = []
  let open:
    | { readonly mark: string; readonly info: string; readonly indent: string; readonly index: number }
    | undefined
  const lines = text.split("\n")
  for (const [index, line] of lines.entries()) {
    const [, indent = "", mark = "", info = ""] = /^(\s*)(`{3,})(.*)$/.exec(line) ?? []
    if (mark === "") continue
    if (open === undefined) {
      open = { mark, info: info.trim(), indent, index }
    } else if (mark.length >= open.mark.length && info.trim() === "") {
      const code = lines.slice(open.index + 1, index).map((text) => dedent(text, open?.indent ?? ""))
      fences.push({ file, line: first + open.index + 1, info: open.info, code: code.join("\n") })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${file}:${first + open.index} opens a fence that nothing closes`)
  return fences
}

const dedent = (line: string, indent: string): string => (line.startsWith(indent) ? line.slice(indent.length) : line)

/** How an example is checked. */
export type Treatment = "run" | "compile" | "ignore"

export const treatment = ({ file, info, line }: Fence): Treatment => {
  if (info === "ts") return "run"
  if (info === "ts no-run") return "compile"
  if (/^(?:$|tsx?\b|js\b|javascript|typescript)/i.test(info)) {
    throw new Error(`${file}:${line - 1} has a fence "${info}"; write "ts", "ts no-run" or "text"`)
  }
  return "ignore"
}
