// A pane that fails says so and can be tried again; the rest of the page goes on.
import { Component, type ReactNode } from 'react'
import { Button } from './Button.tsx'

interface Props {
  readonly what: string
  readonly children: ReactNode
}

/** React knows error boundaries only as classes. */
export class Boundary extends Component<Props, { readonly message: string | null }> {
  override state = { message: null }

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) }
  }

  override render(): ReactNode {
    if (this.state.message === null) return this.props.children
    return (
      <div role="alert" style={{ padding: 16, display: 'grid', gap: 10, justifyItems: 'start' }}>
        <p>
          {this.props.what} could not be shown: {this.state.message}
        </p>
        <Button onClick={() => this.setState({ message: null })}>Try again</Button>
      </div>
    )
  }
}
