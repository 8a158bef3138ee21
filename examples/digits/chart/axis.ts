/**
 * Axes: from the values of a chart to a range with round ticks, and from a value to its place in that range.
 */

export interface Tick {
  readonly value: number
  readonly label: string
}

export interface Axis {
  readonly ticks: ReadonlyArray<Tick>
  /** 0 at the low end of the axis, 1 at the high end. */
  readonly place: (value: number) => number
}

/** The lowest and the highest value; 0 to 1 when there are none. */
const extent = (values: ReadonlyArray<number>): readonly [low: number, high: number] =>
  values.length === 0
    ? [0, 1]
    : [values.reduce((low, value) => Math.min(low, value)), values.reduce((high, value) => Math.max(high, value))]

/** The smallest of 1, 2 and 5 times a power of ten that is not below `size`. */
const roundUp = (size: number): number => {
  const power = 10 ** Math.floor(Math.log10(size))
  return ([1, 2, 5].find((mantissa) => mantissa * power >= size * (1 - 1e-9)) ?? 10) * power
}

const linear = (low: number, high: number, unit: number): Axis => {
  const count = Math.floor(high / unit + 1e-9) - Math.ceil(low / unit - 1e-9) + 1
  const ticks = Array.from({ length: count }, (_, index) => (Math.ceil(low / unit - 1e-9) + index) * unit)
  return {
    ticks: ticks.map((value) => ({ value, label: format(value, unit) })),
    place: (value) => (value - low) / (high - low)
  }
}

/** An axis of whole numbers that begins and ends with the values. */
export const ofSteps = (steps: ReadonlyArray<number>): Axis => {
  const [first, last] = extent(steps)
  const end = Math.max(last, first + 1)
  return linear(first, end, Math.max(1, roundUp((end - first) / 8)))
}

/**
 * An axis that begins and ends with a tick: logarithmic when the values are positive and the highest is more than 50
 * times the lowest, else linear. A single value gets room above and below.
 */
export const ofValues = (values: ReadonlyArray<number>): Axis => {
  const [low, high] = extent(values)
  if (low > 0 && high > 50 * low) return logarithmic(low, high)
  const size = Math.max(Math.abs(low), Math.abs(high))
  const room = high - low <= 1e-9 * size ? size / 2 || 1 : 0
  const unit = roundUp((high + room) / 5 - (low - room) / 5)
  return linear(Math.floor((low - room) / unit) * unit, Math.ceil((high + room) / unit) * unit, unit)
}

const logarithmic = (low: number, high: number): Axis => {
  const first = Math.floor(Math.log10(low))
  const decades = Math.ceil(Math.log10(high)) - first
  const stride = Math.ceil(decades / 8)
  const mantissas = decades <= 3 ? [1, 2, 5] : [1]
  const all = Array.from({ length: Math.ceil(decades / stride) + 1 }, (_, index) => first + index * stride).flatMap(
    (power) => mantissas.map((mantissa) => mantissa * 10 ** power)
  )
  const start = all.findLast((value) => value <= low) ?? low
  const end = all.find((value) => value >= high) ?? high
  const range = Math.log10(end) - Math.log10(start)
  return {
    ticks: all
      .filter((value) => value >= start && value <= end)
      .map((value) => ({ value, label: format(value, value) })),
    place: (value) => (Math.log10(value) - Math.log10(start)) / range
  }
}

/** A value in as many digits as tell it from its neighbours `unit` away. */
const format = (value: number, unit: number): string => {
  if (value === 0) return "0"
  if (Math.abs(value) >= 1e7 || unit < 1e-5) return Number(value.toPrecision(6)).toExponential().replace("e+", "e")
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9))
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
