/**
 * A bounded memory of results, for functions that are pure but slow (tracing, planning).
 *
 * Few keys are ever in use at once (the trees that one program trains), so a short list with the latest hit in front
 * beats hashing whole structures.
 */
const capacity = 32

/** `compute`, remembering the results of its latest distinct keys. */
export const memo = <K, V>(same: (a: K, b: K) => boolean, compute: (key: K) => V): ((key: K) => V) => {
  const entries: Array<{ readonly key: K; readonly value: V }> = []
  return (key) => {
    const index = entries.findIndex((entry) => same(entry.key, key))
    const entry = entries[index] ?? { key, value: compute(key) }
    if (index !== 0) {
      if (index > 0) entries.splice(index, 1)
      entries.unshift(entry)
      entries.length = Math.min(entries.length, capacity)
    }
    return entry.value
  }
}
