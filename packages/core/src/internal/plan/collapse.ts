/**
 * Fewer loops: neighbouring axes that every buffer walks as one become one.
 */

/** Loop extents, outermost first, and for each buffer how far it moves with each loop. */
export interface Nest {
  readonly extents: ReadonlyArray<number>
  readonly strides: ReadonlyArray<ReadonlyArray<number>>
}

/** The nest of a shape for buffers with these strides; at least one loop, the innermost with strides 0 or 1. */
export const collapse = (shape: ReadonlyArray<number>, strides: ReadonlyArray<ReadonlyArray<number>>): Nest => {
  if (shape.length === 0) return { extents: [1], strides: strides.map(() => [1]) }
  const extents: Array<number> = []
  const collapsed = strides.map((): Array<number> => [])
  shape.forEach((size, axis) => {
    const last = extents.length - 1
    const merges = last >= 0 && strides.every((each, index) => collapsed[index]?.[last] === (each[axis] ?? 0) * size)
    if (merges) extents[last] = (extents[last] ?? 1) * size
    else extents.push(size)
    strides.forEach((each, index) => {
      const own = collapsed[index]
      if (own !== undefined) own[merges ? last : extents.length - 1] = each[axis] ?? 0
    })
  })
  return { extents, strides: collapsed }
}
