/**
 * Levels of nodes, and the clusters that grow within them.
 */
import type { Node, Program } from "../../Program.ts"
import { argNodes, type Role, squeeze } from "./classify.ts"

const isFinished = (role: Role | undefined): boolean => role === "input" || role === "constant"

/** Does a node that reads this argument stand one level above it? */
const rises = (reader: Role, argument: Role | undefined): boolean => {
  if (isFinished(argument)) return false
  if (reader === "view" || argument === "reduce" || argument === "library") return true
  return reader === "library" && argument !== "computed"
}

/** The level of every node: inputs and constants at 0. */
export const levelsOf = ({ nodes }: Program, roles: ReadonlyArray<Role>): ReadonlyArray<number> => {
  const levels: Array<number> = []
  nodes.forEach((node, id) => {
    const below = argNodes(node).map((arg) => (levels[arg] ?? 0) + (rises(roles[id] ?? "library", roles[arg]) ? 1 : 0))
    levels.push(Math.max(0, ...below))
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

/** The computed nodes that one node reads at its own place: directly, and through masks. */
const neighbours = ({ nodes }: Program, roles: ReadonlyArray<Role>, id: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  const seen = new Set<number>()
  const pending = [...argNodes(nodes[id] as Node)]
  for (let arg = pending.pop(); arg !== undefined; arg = pending.pop()) {
    if (seen.has(arg)) continue
    seen.add(arg)
    if (roles[arg] === "computed") found.push(arg)
    if (roles[arg] === "mask") pending.push(...argNodes(nodes[arg] as Node))
  }
  return found
}

/** For every computed node, the name of its cluster: connected nodes of one level with the same elements. */
export const clustersOf = (
  program: Program,
  roles: ReadonlyArray<Role>,
  levels: ReadonlyArray<number>
): ((id: number) => number) => {
  const { nodes } = program
  const elements = nodes.map(({ shape }) => squeeze(shape).join())
  const sets = new Sets()
  nodes.forEach((_, id) => {
    if (roles[id] !== "computed") return
    for (const arg of neighbours(program, roles, id)) {
      if (levels[arg] === levels[id] && elements[arg] === elements[id]) sets.join(arg, id)
    }
  })
  return (id) => sets.find(id)
}
