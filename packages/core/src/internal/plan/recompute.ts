/**
 * Numbers that are computed again rather than handed on.
 *
 * Where the norm of an update decides what becomes of it, one kernel makes the update for the norm and another makes use of
 * it. Written by the first for the second it costs a pass over memory and a tensor; made again from what it came from it
 * costs a few operations. So it is made again where its readers then move fewer elements. It is the same number: every
 * kernel computes a node in the same way.
 */
import type { Node } from "../../Program.ts"
import { sizeOf } from "../trace/shape.ts"
import type { Fuser } from "./builder.ts"
import { argNodes, type Role, squeeze } from "./classify.ts"
import { behindAliases } from "./levels.ts"

/** More than this is not done twice. */
const mostOperations = 8

/** The computed node whose cluster a reduction joins: its argument, if that is computed at its own place. */
export const hostOf = ({ program, roles }: Fuser, reduction: number): number | undefined => {
  const [argument = 0] = argNodes(program.nodes[reduction] as Node)
  const host = behindAliases(program, roles, argument)
  return roles[host] === "computed" ? host : undefined
}

const addTo = <K, V>(sets: Map<K, Set<V>>, key: K, value: V): void => {
  const known = sets.get(key)
  if (known === undefined) sets.set(key, new Set([value]))
  else known.add(value)
}

/** What no kernel reads as a tensor. */
const lookedThrough: ReadonlySet<Role | undefined> = new Set(["view", "mask", "constant"])

/** Who reads what. */
class Readers {
  readonly #fuser: Fuser
  /** The clusters that read a node, by name; −1 for a reader that is no cluster. */
  readonly of = new Map<number, Set<number>>()
  /** What a cluster reads, its own members as well. */
  readonly reads = new Map<number, Set<number>>()

  constructor(fuser: Fuser) {
    this.#fuser = fuser
    fuser.program.nodes.forEach((_, id) => {
      const reader = this.#readerAt(id)
      if (reader === undefined) return
      for (const source of this.sourcesOf(id)) {
        addTo(this.of, source, reader)
        addTo(this.reads, reader, source)
      }
    })
  }

  #readerAt(id: number): number | undefined {
    const { clusterOf, needed, roles } = this.#fuser
    const role = roles[id]
    if (role === "computed") return clusterOf(id)
    const host = role === "reduce" ? hostOf(this.#fuser, id) : undefined
    if (host !== undefined) return clusterOf(host)
    return role === "reduce" || role === "library" || needed.has(id) ? -1 : undefined
  }

  /** What stands behind the arguments of a node, seen through views and masks. */
  sourcesOf(id: number): ReadonlyArray<number> {
    const { roles } = this.#fuser
    const seen = new Set(argNodes(this.#fuser.node(id)))
    for (const arg of seen)
      if (roles[arg] === "view" || roles[arg] === "mask")
        for (const behind of argNodes(this.#fuser.node(arg))) seen.add(behind)
    return [...seen].filter((arg) => !lookedThrough.has(roles[arg]))
  }
}

interface Origin {
  /** The nodes that have to be computed. */
  readonly computed: ReadonlySet<number>
  /** The tensors that have to be read. */
  readonly read: ReadonlySet<number>
}

/** What it takes to compute a node from tensors; nothing if that is too much. */
const originOf = ({ needed, recomputed, roles }: Fuser, readers: Readers, node: number): Origin | undefined => {
  const computed = new Set([node])
  const read = new Set<number>()
  for (const id of computed) {
    if (computed.size > mostOperations) return undefined
    for (const source of readers.sourcesOf(id)) {
      const isWithin = roles[source] === "computed" && (recomputed.has(source) || !needed.has(source))
      if (isWithin) computed.add(source)
      else read.add(source)
    }
  }
  return { computed, read }
}

/** Has an input been written over when a kernel runs? What replaces it stands at the same place from the end. */
const isGone = ({ clusterOf, levels, program }: Fuser, input: number, reader: number): boolean => {
  const { operation } = program.nodes[input] as Node
  if (operation.op !== "input") return false
  const successor = program.outputs[operation.index - program.inputs.length + program.outputs.length]
  if (successor === undefined || clusterOf(successor) === reader) return false
  return (levels[successor] ?? 0) <= (levels[reader] ?? 0)
}

const elementsOf = (fuser: Fuser, id: number): number => sizeOf(fuser.node(id).shape)

/** Is a node of some size written for kernels alone? */
const isBetween = (fuser: Fuser, id: number): boolean =>
  fuser.roles[id] === "computed" && !fuser.outputs.has(id) && elementsOf(fuser, id) > 1

/** Does everybody who reads a node walk over its elements? */
const isWalked = (fuser: Fuser, { of }: Readers, id: number): boolean => {
  const walk = (node: number): string => squeeze(fuser.node(node).shape).join()
  return [...(of.get(id) ?? [])].every((reader) => reader >= 0 && walk(reader) === walk(id))
}

/** How many more elements are moved if a node is computed by everybody who reads it. */
const priceOf = (fuser: Fuser, { of, reads }: Readers, id: number, { read }: Origin): number => {
  let price = -elementsOf(fuser, id)
  for (const reader of of.get(id) ?? []) {
    if (reader === fuser.clusterOf(id)) continue
    price -= elementsOf(fuser, id)
    for (const source of read) {
      if (reads.get(reader)?.has(source) === true) continue
      if (isGone(fuser, source, reader)) return Number.POSITIVE_INFINITY
      price += elementsOf(fuser, source)
    }
  }
  return price
}

/** Decides what is computed again, given what would have to be written. */
export const recompute = (fuser: Fuser): void => {
  const candidates = [...fuser.needed].filter((id) => isBetween(fuser, id))
  if (candidates.length === 0) return
  const readers = new Readers(fuser)
  for (const id of candidates) {
    if (!isWalked(fuser, readers, id)) continue
    const origin = originOf(fuser, readers, id)
    if (origin === undefined || priceOf(fuser, readers, id, origin) >= 0) continue
    for (const node of origin.computed) fuser.recomputed.add(node)
    for (const reader of readers.of.get(id) ?? [])
      for (const source of origin.read) addTo(readers.reads, reader, source)
  }
}
