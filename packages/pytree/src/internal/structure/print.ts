/** Structures as text, in the notation of JAX: `{'a': *, 'b': [*, None]}`. */
import * as Formatter from "effect/Formatter"
import { quote } from "../quote.ts"
import { Custom, Dict, Leaf, Null, type Record, type Records, Sequence, typeLabel } from "./records.ts"

const display = (metadata: unknown): string =>
  metadata === undefined ? "" : `[${typeof metadata === "string" ? metadata : Formatter.format(metadata)}]`

/** A custom node without its children: `Option[Some]`. */
export const customName = ({ metadata, owner, type }: Record): string => typeLabel(type!, owner) + display(metadata)

const opening = (record: Record): string => {
  switch (record.kind) {
    case Leaf:
      return "*"
    case Null:
      return "None"
    case Sequence:
      return "["
    case Dict:
      return "{"
    case Custom:
      return `CustomNode(${customName(record)}, [`
  }
}

const closings = ["", "", "]", "}", "])"] as const

const childPrefix = (record: Record, index: number): string =>
  (index > 0 ? ", " : "") + (record.kind === Dict ? `${quote(record.keys[index]!)}: ` : "")

/** Prints the subtree whose records run from `start` to the end of the list or to the subtree's own end. */
export const print = (records: Records, start = 0): string => {
  const parts: Array<string> = []
  const open: Array<{ readonly record: Record; printed: number }> = []
  for (let i = start; i < records.length; i++) {
    const parent = open.at(-1)
    if (parent !== undefined) parts.push(childPrefix(parent.record, parent.printed++))
    const record = records[i]!
    parts.push(opening(record))
    open.push({ record, printed: 0 })
    while (open.length > 0 && open.at(-1)!.printed === open.at(-1)!.record.arity) {
      parts.push(closings[open.pop()!.record.kind])
    }
    if (open.length === 0) break
  }
  return parts.join("")
}
