/**
 * Fusion: a program cut into kernels and library operations.
 *
 * Each cluster becomes one kernel: it reads its inputs once, keeps everything between in registers, and stores or
 * reduces what others need. Views are folded into the strides along which a kernel reads, masks are computed again in
 * every kernel that needs them.
 */
import type { Program } from "../../Program.ts"
import { Builder, Fuser, type FusedStep } from "./builder.ts"
import { argNodes, squeeze } from "./classify.ts"
import { hostOf, recompute } from "./recompute.ts"

export type { Buffer, FusedStep } from "./builder.ts"

/** A node that tfjs computes. */
export interface LibraryStep {
  readonly _tag: "Library"
  readonly node: number
}

/** One step of a fused plan. */
export type FusedPlanStep = FusedStep | LibraryStep

interface Unit {
  readonly level: number
  readonly order: number
  readonly build: () => FusedPlanStep
}

const group = <K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, ReadonlyArray<V>> => {
  const groups = new Map<K, Array<V>>()
  for (const [key, value] of entries) {
    const members = groups.get(key)
    if (members === undefined) groups.set(key, [value])
    else members.push(value)
  }
  return groups
}

/** Marks what must exist as a tensor: outputs, arguments of library operations, and what crosses between kernels. */
const markNeeded = (fuser: Fuser): void => {
  const { needed, program, roles } = fuser
  for (const id of program.outputs) needed.add(id)
  // From the last node to the first: whoever needs something comes after it.
  for (let id = program.nodes.length - 1; id >= 0; id--) {
    const role = roles[id]
    const asTensor = needed.has(id) && (role === "library" || role === "view" || role === "mask" || role === "constant")
    if (role === "library" || asTensor) for (const arg of argNodes(fuser.node(id))) needed.add(arg)
  }
}

/** Marks what kernels read from other kernels; masks and views are looked through. */
const markCrossing = (fuser: Fuser): void => {
  const { clusterOf, needed, program, recomputed, roles } = fuser
  const visit = (id: number, cluster: number | undefined, seen = new Set<number>()): void => {
    const role = roles[id]
    if (role === "view" || role === "mask" || recomputed.has(id)) {
      if (seen.has(id)) return
      seen.add(id)
      for (const arg of argNodes(fuser.node(id))) visit(arg, cluster, seen)
    } else if (role !== "constant" && (role !== "computed" || clusterOf(id) !== cluster)) needed.add(id)
  }
  program.nodes.forEach((node, id) => {
    if (roles[id] === "computed") for (const arg of argNodes(node)) visit(arg, clusterOf(id))
    if (roles[id] === "reduce") {
      const host = hostOf(fuser, id)
      for (const arg of argNodes(node)) visit(arg, host === undefined ? undefined : clusterOf(host))
    }
  })
}

const mark = (fuser: Fuser): void => {
  markCrossing(fuser)
  markNeeded(fuser)
}

/** The clusters, each with the reductions that read it. */
const clusterUnits = (fuser: Fuser): ReadonlyArray<Unit> => {
  const { clusterOf, levels, needed, program, roles } = fuser
  const computed = program.nodes.flatMap((_, id) => (roles[id] === "computed" ? [[clusterOf(id), id] as const] : []))
  const reductions = group(
    program.nodes.flatMap((_, id) => {
      const host = roles[id] === "reduce" ? hostOf(fuser, id) : undefined
      return host === undefined ? [] : [[clusterOf(host), id] as const]
    })
  )
  return [...group(computed)].flatMap(([cluster, members]) => {
    const shape = squeeze(fuser.node(members[0] ?? 0).shape)
    const stored = members.filter((id) => needed.has(id))
    const reduced = reductions.get(cluster) ?? []
    // Whoever needs the members computes them again.
    if (stored.length + reduced.length === 0) return []
    const build = () => new Builder(fuser, members, shape).finish(stored, reduced)
    // Numbers come first: kernels of the same level read them through masks.
    return [{ level: levels[members[0] ?? 0] ?? 0, order: shape.length === 0 ? 0 : 1, build }]
  })
}

/** What belongs to no cluster: reductions of tensors, constants that are outputs, library operations. */
const aloneUnits = (fuser: Fuser): ReadonlyArray<Unit> => {
  const { levels, needed, program, roles } = fuser
  return program.nodes.flatMap((node, id): ReadonlyArray<Unit> => {
    const level = levels[id] ?? 0
    const role = roles[id]
    if (role === "reduce" && hostOf(fuser, id) === undefined) {
      const shape = squeeze(fuser.node(argNodes(node)[0] ?? 0).shape)
      return [{ level, order: 1, build: () => new Builder(fuser, [], shape).finish([], [id]) }]
    }
    if (role === "constant" && needed.has(id)) {
      return [{ level, order: 0, build: () => new Builder(fuser, [], squeeze(node.shape)).finish([id], []) }]
    }
    const library = role === "library" || (needed.has(id) && (role === "view" || role === "mask"))
    return library ? [{ level, order: 2, build: () => ({ _tag: "Library", node: id }) }] : []
  })
}

/** The steps of a program, in an order in which each finds what it reads. */
export const fuse = (program: Program): ReadonlyArray<FusedPlanStep> => {
  const fuser = new Fuser(program)
  mark(fuser)
  recompute(fuser)
  if (fuser.recomputed.size > 0) {
    fuser.needed.clear()
    mark(fuser)
  }
  return [...clusterUnits(fuser), ...aloneUnits(fuser)]
    .toSorted((a, b) => a.level - b.level || a.order - b.order)
    .map(({ build }) => build())
}
