// A button that opens a menu, and a menu that opens at a point (radix handles focus, keys and roles).
import { DropdownMenu } from 'radix-ui'
import type { ReactNode } from 'react'
import styles from './Menu.module.css'

export interface MenuItem {
  readonly id: string
  readonly label: string
  readonly detail?: string
  readonly disabled?: boolean
  readonly checked?: boolean
  onSelect(): void
}

export interface MenuGroup {
  readonly title?: string
  readonly items: readonly MenuItem[]
}

export function Menu({ trigger, groups, label }: { trigger: ReactNode; groups: readonly MenuGroup[]; label: string }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <MenuContent groups={groups} label={label} />
    </DropdownMenu.Root>
  )
}

/** Open as long as it is rendered. `onClose` gives the focus back. */
export function PointMenu({
  x,
  y,
  groups,
  label,
  onClose,
}: {
  x: number
  y: number
  groups: readonly MenuGroup[]
  label: string
  onClose(): void
}) {
  return (
    <DropdownMenu.Root open modal={false} onOpenChange={(open) => !open && onClose()}>
      <DropdownMenu.Trigger asChild>
        <span className={styles.point} style={{ left: x, top: y }} aria-hidden="true" />
      </DropdownMenu.Trigger>
      <MenuContent groups={groups} label={label} onCloseAutoFocus={(event) => event.preventDefault()} />
    </DropdownMenu.Root>
  )
}

function MenuContent({
  groups,
  label,
  onCloseAutoFocus,
}: {
  groups: readonly MenuGroup[]
  label: string
  onCloseAutoFocus?: (event: Event) => void
}) {
  return (
    <DropdownMenu.Portal>
      <DropdownMenu.Content
        className={styles.content}
        aria-label={label}
        sideOffset={6}
        align="start"
        collisionPadding={8}
        onCloseAutoFocus={onCloseAutoFocus}
      >
        {groups.map((group, i) => (
          <DropdownMenu.Group key={group.title ?? i}>
            {group.title ? <DropdownMenu.Label className={styles.title}>{group.title}</DropdownMenu.Label> : null}
            {group.items.map((item) => (
              <DropdownMenu.Item key={item.id} className={styles.item} disabled={item.disabled} onSelect={item.onSelect}>
                <span>
                  {item.checked ? '✓ ' : ''}
                  {item.label}
                </span>
                {item.detail ? <span className={styles.detail}>{item.detail}</span> : null}
              </DropdownMenu.Item>
            ))}
          </DropdownMenu.Group>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  )
}
