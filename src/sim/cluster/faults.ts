// What a visitor can break. Each becomes an input, so it is part of the replayable document.

export type Fault =
  | { readonly kind: 'kill-container'; readonly namespace: string; readonly pod: string; readonly container: string }
  | { readonly kind: 'delete-pod'; readonly namespace: string; readonly pod: string }
  | { readonly kind: 'stop-process'; readonly process: string }
  | { readonly kind: 'start-process'; readonly process: string }
  | { readonly kind: 'power-off'; readonly host: string }
  | { readonly kind: 'power-on'; readonly host: string }
  | { readonly kind: 'cut-link'; readonly a: string; readonly b: string }
  | { readonly kind: 'heal-link'; readonly a: string; readonly b: string }

/** One line for the trace and the timeline. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill-container':
      return `kill container ${fault.container} of pod ${fault.namespace}/${fault.pod}`
    case 'delete-pod':
      return `delete pod ${fault.namespace}/${fault.pod}`
    case 'stop-process':
      return `stop ${fault.process}`
    case 'start-process':
      return `start ${fault.process}`
    case 'power-off':
      return `power off ${fault.host}`
    case 'power-on':
      return `power on ${fault.host}`
    case 'cut-link':
      return `cut the link between ${fault.a} and ${fault.b}`
    case 'heal-link':
      return `heal the link between ${fault.a} and ${fault.b}`
  }
}
