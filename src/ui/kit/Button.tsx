import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'
import styles from './Button.module.css'

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'plain' | 'primary' | 'quiet' | 'danger'
  /** Shown in the tooltip behind the name: `Step forward (→)`. */
  shortcut?: string
  /** A square button: `label` is its name, `children` its picture. */
  label?: string
  pressed?: boolean
  children?: ReactNode
  ref?: Ref<HTMLButtonElement>
}

export function Button({ kind = 'plain', shortcut, label, pressed, className, children, title, ...rest }: ButtonProps) {
  const names = [styles.button, kind !== 'plain' && styles[kind], label && styles.icon, pressed && styles.pressed, className]
    .filter(Boolean)
    .join(' ')
  const name = title ?? label
  const tip = name && shortcut ? `${name} (${shortcut})` : name
  return (
    <button type="button" className={names} aria-label={label} title={tip} aria-keyshortcuts={shortcut} aria-pressed={pressed} {...rest}>
      {children}
    </button>
  )
}
