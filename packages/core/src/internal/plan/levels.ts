/**
 * Levels of nodes, and the clusters that grow within them.
 */
import type { Node, Program } from "../../Program.ts"
import { argNodes, type Role, squeeze } from "./classify.ts"

/** Is this view the same elements in the same order, so that a kernel can look through it at its own values? */
const isAlias = (node: Node, role: Role | undefined): boolean => role === "view" && node.operation.op === "reshape"

/** The node behind views that change nothing but axes of size 1. */
export const behindAliases = ({ nodes }: Program, roles: ReadonlyArray<Role>, id: number): number => {
  let at = id
  for (let node = nodes[at]; node !== undefined && isAlias(node, roles[at]); node = nodes[at])
    at = argNodes(node)[0] ?? at
  return at
}

/** When a node is computed, and from when on kernels can read it at any place. */
interface Times {
  readonly level: number
  readonly readable: number
}

const isStored = (role: Role | undefined): boolean => role === "reduce" || role === "library"

const timesOf = (node: Node, role: Role, args: ReadonlyArray<readonly [Role, Times]>): Times => {
  const last = (time: (role: Role, times: Times) => number): number =>
    Math.max(0, ...args.map(([role, times]) => time(role, times)))
  const readable = last((_, { readable }) => readable)
  /** For whoever looks through to values at its own place. */
  const level = last((role, times) => (isStored(role) ? times.readable : times.level))
  switch (role) {
    case "input":
    case "constant":
      return { level: 0, readable: 0 }
    case "view":
      return { level: isAlias(node, role) ? level : readable, readable }
    case "mask":
      return { level, readable }
    case "computed":
    case "reduce":
      return { level, readable: level + 1 }
    case "library": {
      // tfjs reads tensors: a view or a mask is made one at its level, after the kernels.
      const after = last((role, { level }) =>
        role === "input" || role === "constant" || role === "computed" ? level : level + 1
      )
      return { level: after, readable: after + 1 }
    }
  }
}

/** The times of all nodes in order, given what decides about the level of a computed one. */
const timesOfAll = (
  { nodes }: Program,
  roles: ReadonlyArray<Role>,
  choose: (id: number, earliest: number, levels: ReadonlyArray<number>) => number
): ReadonlyArray<number> => {
  const times: Array<Times> = []
  const levels: Array<number> = []
  nodes.forEach((node, id) => {
    const role = roles[id] ?? "library"
    const args = argNodes(node).map(
      (arg) => [roles[arg] ?? "library", times[arg] ?? { level: 0, readable: 0 }] as const
    )
    const own = timesOf(node, role, args)
    const level = role === "computed" ? choose(id, own.level, levels) : own.level
    times.push(role === "computed" ? { level, readable: level + 1 } : own)
    levels.push(level)
  })
  return levels
}

/** Until when a node must be computed, and until when it must be readable at any place; infinite if nobody waits. */
interface Deadlines {
  readonly level: Array<number>
  readonly readable: Array<number>
}

/** What a node that is due at `level` and `readable` at these times asks of its arguments. */
const passOn = (
  deadlines: Deadlines,
  node: Node,
  role: Role,
  due: { readonly level: number; readonly readable: number },
  made: (arg: number) => number | undefined
): void => {
  const scattered = role === "view" && !isAlias(node, role)
  for (const arg of argNodes(node)) {
    const level = scattered ? Number.POSITIVE_INFINITY : due.level
    const readable = scattered ? Math.min(due.level, due.readable) : due.readable
    deadlines.level[arg] = Math.min(deadlines.level[arg] ?? level, made(arg) ?? level)
    deadlines.readable[arg] = Math.min(deadlines.readable[arg] ?? readable, readable)
  }
}

/** The latest level of every computed node. */
const latest = (
  { nodes, outputs }: Program,
  roles: ReadonlyArray<Role>,
  earliest: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const never = nodes.map(() => Number.POSITIVE_INFINITY)
  const deadlines = { level: [...never], readable: [...never] }
  const kept = new Set(outputs)
  for (let id = nodes.length - 1; id >= 0; id--) {
    const role = roles[id] ?? "library"
    const own = earliest[id] ?? 0
    const passes = role === "view" || role === "mask"
    const level = Math.min(deadlines.level[id] ?? own, (deadlines.readable[id] ?? own) - (passes ? 0 : 1))
    if (role === "computed") deadlines.level[id] = level === Number.POSITIVE_INFINITY ? own : level
    // As a tensor, a view or a mask is made by tfjs at its own level; else each kernel that needs it computes it again.
    const due = passes
      ? { level: kept.has(id) ? own : (deadlines.level[id] ?? own), readable: deadlines.readable[id] ?? own }
      : { level: role === "computed" ? (deadlines.level[id] ?? own) : own, readable: Number.POSITIVE_INFINITY }
    const made = (arg: number) =>
      role === "library" && (roles[arg] === "view" || roles[arg] === "mask") ? earliest[arg] : undefined
    passOn(deadlines, nodes[id] as Node, role, due, made)
  }
  return deadlines.level
}

/**
 * The level of every node: inputs and constants at 0. What is computed is computed as late as who needs it can wait: then
 * it is not written by one kernel to be read by the next. It stays early if it would take more than one number out of an
 * earlier kernel.
 */
export const levelsOf = (program: Program, roles: ReadonlyArray<Role>): ReadonlyArray<number> => {
  const earliest = timesOfAll(program, roles, (_, level) => level)
  const deadline = latest(program, roles, earliest)
  const kept = new Set(program.outputs)
  return timesOfAll(program, roles, (id, level, levels) => {
    const late = deadline[id] ?? level
    if (level > (earliest[id] ?? level)) return late
    const leftBehind = sourcesOf(program, roles, id).filter(
      (source) => roles[source] === "computed" && (levels[source] ?? 0) < late && !kept.has(source)
    )
    return leftBehind.length <= 1 ? late : level
  })
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
