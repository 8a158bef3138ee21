/**
 * Levels of nodes, and the clusters that grow within them.
 */
import type { Node, Program } from "../../Program.ts"
import { argNodes, type Role, squeeze } from "./classify.ts"

const isFinished = (role: Role | undefined): boolean => role === "input" || role === "constant"

/** Is this view the same elements in the same order, so that a kernel can look through it at its own values? */
const isAlias = (node: Node, role: Role | undefined): boolean => role === "view" && node.operation.op === "reshape"

/** The node behind views that change nothing but axes of size 1. */
export const behindAliases = ({ nodes }: Program, roles: ReadonlyArray<Role>, id: number): number => {
  let at = id
  for (let node = nodes[at]; node !== undefined && isAlias(node, roles[at]); node = nodes[at])
    at = argNodes(node)[0] ?? at
  return at
}

/** The node behind all views. */
const behindViews = ({ nodes }: Program, roles: ReadonlyArray<Role>, id: number): number => {
  let at = id
  for (let node = nodes[at]; node !== undefined && roles[at] === "view"; node = nodes[at]) at = argNodes(node)[0] ?? at
  return at
}

/** Does a node that reads this argument stand one level above it? */
const rises = (reader: Role, argument: Role | undefined): boolean => {
  if (isFinished(argument)) return false
  if (reader === "view" || argument === "reduce" || argument === "library") return true
  return reader === "library" && argument !== "computed"
}

/** The level of every node: inputs and constants at 0, and views of them. */
export const levelsOf = (program: Program, roles: ReadonlyArray<Role>): ReadonlyArray<number> => {
  const levels: Array<number> = []
  const above = (reader: Role, argument: number): number =>
    (levels[argument] ?? 0) + (rises(reader, roles[argument]) ? 1 : 0)
  program.nodes.forEach((node, id) => {
    const role = roles[id] ?? "library"
    const args = argNodes(node)
    // An alias is read where its argument is; any other view is above what it looks at, through whatever views.
    const reads = role === "view" && !isAlias(node, role) ? [behindViews(program, roles, id)] : args
    levels.push(Math.max(0, ...reads.map((arg) => above(isAlias(node, role) ? "computed" : role, arg))))
  })
  return levels
}

/** Sets that are merged; each is named by one of its members. */
class Sets {
  readonly #parent: Array<number> = []

  find(id: number): number {
    let root = id
    for (let up = this.#parent[root]; up !== undefined && up !== root; up = this.#parent[root]) root = up
    this.#parent[id] = root
    return root
  }

  join(a: number, b: number): void {
    this.#parent[this.find(a)] = this.find(b)
  }
}

/** The numbers that one node reads at its own place: directly, and through masks. */
const sourcesOf = (program: Program, roles: ReadonlyArray<Role>, id: number): ReadonlyArray<number> => {
  const { nodes } = program
  const found: Array<number> = []
  const seen = new Set<number>()
  const pending = [...argNodes(nodes[id] as Node)]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const arg = behindAliases(program, roles, next)
    if (seen.has(arg)) continue
    seen.add(arg)
    if (roles[arg] === "mask") pending.push(...argNodes(nodes[arg] as Node))
    else if (roles[arg] !== "constant") found.push(arg)
  }
  return found
}

/** Larger clusters are cut: no engine compiles functions of any length. */
const mostMembers = 512

/** The names of members, in the order of the program: whatever is cut off reads only what comes before it. */
const cut = (members: ReadonlyArray<number>, sets: Sets): ReadonlyMap<number, number> => {
  const latest = new Map<number, { readonly name: number; size: number }>()
  const names = new Map<number, number>()
  for (const id of members) {
    const set = sets.find(id)
    const known = latest.get(set)
    const cluster = known === undefined || known.size === mostMembers ? { name: id, size: 0 } : known
    latest.set(set, cluster)
    cluster.size++
    names.set(id, cluster.name)
  }
  return names
}

/**
 * For every computed node, the name of its cluster: nodes of one level with the same elements, one of which reads the
 * other, or which read the same numbers. (Single numbers that are not inputs are read by everybody, and bind nobody.)
 */
export const clustersOf = (
  program: Program,
  roles: ReadonlyArray<Role>,
  levels: ReadonlyArray<number>
): ((id: number) => number) => {
  const { nodes } = program
  const elements = nodes.map(({ shape }) => squeeze(shape).join())
  const sets = new Sets()
  const members = [...nodes.keys()].filter((id) => roles[id] === "computed")
  const readers = new Map<string, number>()
  for (const id of members) {
    for (const source of sourcesOf(program, roles, id)) {
      if (elements[source] !== elements[id]) continue
      const reading = `${source} at ${levels[id]}`
      const partner = roles[source] === "computed" && levels[source] === levels[id] ? source : readers.get(reading)
      if (partner !== undefined) sets.join(partner, id)
      if (roles[source] === "input" || elements[id] !== "") readers.set(reading, id)
    }
  }
  const names = cut(members, sets)
  return (id) => names.get(id) ?? id
}
