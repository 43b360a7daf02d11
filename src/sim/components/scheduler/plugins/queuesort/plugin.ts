// PrioritySort: higher priority first, then who has waited longer.

/** Keys sort as text in the order in which pods are to be taken. `order` breaks ties of the same instant. */
export function sortKey(priority: number, timestampMs: number, order: number): string {
  const inverse = (2 ** 31 - 1 - priority).toString().padStart(10, '0')
  return `${inverse}/${micros(timestampMs)}/${order.toString().padStart(12, '0')}`
}

export const micros = (ms: number): string =>
  Math.round(ms * 1000)
    .toString()
    .padStart(18, '0')
