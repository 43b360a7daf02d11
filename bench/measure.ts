/** CPU milliseconds that `body` takes in this process. */
export function cpuMs(body: () => void): number {
  const before = process.cpuUsage()
  body()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN
}

export const round = (n: number): number => (Math.abs(n) >= 100 ? Math.round(n) : Math.round(n * 100) / 100)

/** `a / b` for each pair, as `median (min–max)`. */
export function ratio(a: readonly number[], b: readonly number[]): string {
  const ratios = a.map((x, i) => x / (b[i] as number))
  return `${round(median(ratios))} (${round(Math.min(...ratios))}–${round(Math.max(...ratios))})`
}

/** A bare binary heap with the same pending count: what ordering events costs at least. Returns events per CPU second. */
export function heapEventsPerSecond(pending: number, events: number): number {
  const heap = new Float64Array(pending)
  for (let i = 0; i < pending; i++) heap[i] = i
  let seed = 1
  const ms = cpuMs(() => {
    for (let n = 0; n < events; n++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      const next = (heap[0] as number) + 1 + (seed & 1023)
      let i = 0
      for (;;) {
        let child = 2 * i + 1
        if (child >= pending) break
        if (child + 1 < pending && (heap[child + 1] as number) < (heap[child] as number)) child++
        if ((heap[child] as number) >= next) break
        heap[i] = heap[child] as number
        i = child
      }
      heap[i] = next
    }
  })
  return events / (ms / 1000)
}
