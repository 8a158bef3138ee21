/**
 * How long the names of a structure are, without making them.
 *
 * A few bytes of manifest can describe a tree whose paths, written out, fill the memory: a chain of a million levels
 * with a leaf on each. The lengths are counted first, in one pass, and compared with the names that are really there.
 */
import { transformName } from "./names.ts"

/** A node in the JSON form of a structure. */
export type NodeJson = "*" | null | number | ReadonlyArray<string> | { readonly arity: number }

/** The room counted for a key whose text only the node type knows. */
const customKeyLength = 32

const arityOf = (node: NodeJson): number => {
  if (node === "*" || node === null) return 0
  if (typeof node === "number") return node
  return "arity" in node ? node.arity : node.length
}

const keyLength = (node: NodeJson, index: number): number => {
  if (typeof node !== "object" || node === null) return String(index).length
  return "arity" in node ? customKeyLength : (node[index]?.length ?? 0)
}

/** The length of each leaf's name: its keys with one character between them. */
export const lengths = (nodes: ReadonlyArray<NodeJson>): ReadonlyArray<number> => {
  const found: Array<number> = []
  const open: Array<{ readonly node: NodeJson; readonly arity: number; readonly length: number; next: number }> = []
  for (const node of nodes) {
    const parent = open.at(-1)
    const length = parent === undefined ? -1 : parent.length + 1 + keyLength(parent.node, parent.next++)
    const arity = arityOf(node)
    if (node === "*") found.push(Math.max(length, 0))
    if (arity > 0) open.push({ node, arity, length, next: 0 })
    while (open.length > 0 && open.at(-1)?.next === open.at(-1)?.arity) open.pop()
  }
  return found
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

/** The structures of a state as JSON. */
interface StateJson {
  readonly tree: ReadonlyArray<NodeJson>
  readonly subtrees: ReadonlyArray<ReadonlyArray<NodeJson>>
  readonly subtreeOf: ReadonlyArray<number>
  readonly transform?: ReadonlyArray<NodeJson>
}

const ofSubtrees = ({ subtreeOf, subtrees, tree }: StateJson): number => {
  const slots = subtrees.map((nodes) => {
    const inner = lengths(nodes)
    return { count: inner.length, length: sum(inner) }
  })
  return sum(
    lengths(tree).map((length, index) => {
      const { count, length: inner } = slots[subtreeOf[index] ?? 0] ?? { count: 0, length: 0 }
      return (length + 1) * Math.max(count, 1) + inner // a leaf without slots has a path, too
    })
  )
}

const ofRemembered = ({ transform = [] }: StateJson): number =>
  sum(lengths(transform).map((length) => transformName.length + 1 + length))

/**
 * The length of all names of a state together, or more: each leaf's name once for each of its slots, and the slot's own;
 * then the names of what a transform remembers.
 */
export const ofState = (state: StateJson): number => ofSubtrees(state) + ofRemembered(state)

/** The length of all names of a tree together. */
export const ofTree = (tree: ReadonlyArray<NodeJson>): number => sum(lengths(tree))
