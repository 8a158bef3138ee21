/**
 * Curves: what is done to the values of a run before they are drawn.
 */

/** The loss at one step. */
export interface LossPoint {
  readonly step: number
  readonly loss: number
}

export type Curve = ReadonlyArray<LossPoint>

/** The stretches of finite values between the gaps. */
export const finiteRuns = (curve: Curve): ReadonlyArray<Curve> => {
  const runs: Array<Array<LossPoint>> = [[]]
  for (const point of curve) {
    if (Number.isFinite(point.loss)) runs.at(-1)?.push(point)
    else runs.push([])
  }
  return runs.filter((run) => run.length > 0)
}

/** The mean of the points up to `reach` before and after each point. */
export const smooth = (curve: Curve, reach: number): Curve =>
  curve.map(({ step }, index) => {
    const window = curve.slice(Math.max(0, index - reach), index + reach + 1)
    return { step, loss: window.reduce((mean, { loss }) => mean + loss / window.length, 0) }
  })

/** At most the first, the lowest, the highest and the last point of each column that `columnOf` puts points into. */
export const thin = (curve: Curve, columnOf: (step: number) => number): Curve => {
  const columns: Array<Array<LossPoint>> = []
  let current: number | undefined
  for (const point of curve) {
    const column = columnOf(point.step)
    if (column === current) columns.at(-1)?.push(point)
    else columns.push([point])
    current = column
  }
  return columns.flatMap(outline)
}

const outline = (column: ReadonlyArray<LossPoint>): Curve => {
  const low = column.reduce((low, point) => (point.loss < low.loss ? point : low))
  const high = column.reduce((high, point) => (point.loss > high.loss ? point : high))
  const kept = new Set([column[0], low, high, column.at(-1)])
  return column.filter((point) => kept.has(point))
}
