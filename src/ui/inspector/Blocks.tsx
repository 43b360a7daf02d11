import { Fragment } from 'react'
import type { Block, Cell, Link } from '../../projection/inspect.ts'
import { useSession } from '../app/SessionContext.tsx'
import { DiffText } from '../kit/DiffText.tsx'
import styles from './Inspector.module.css'

export function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return blocks.map((block, i) => <OneBlock key={i} block={block} />)
}

/** Only web addresses become links; anything else in data stays text. */
const isWeb = (url: string): boolean => /^https?:\/\//i.test(url)

export function LinkTo({ link, children }: { link: Link; children: string }) {
  const session = useSession()
  if (link.to === 'url')
    return isWeb(link.url) ? (
      <a href={link.url} target="_blank" rel="noreferrer noopener">
        {children}
      </a>
    ) : (
      <>{children}</>
    )
  const go = (): void => {
    if (link.to === 'record') void session.seek({ record: link.record })
    else session.select(link.to === 'element' ? { type: 'element', id: link.id } : { type: 'object', ref: link.ref })
  }
  return (
    <button type="button" className={styles.link} onClick={go}>
      {children}
    </button>
  )
}

function CellText({ cell }: { cell: Cell }) {
  return cell.link ? <LinkTo link={cell.link}>{cell.text}</LinkTo> : <>{cell.text}</>
}

/** Long names made of words may break between the words: `NodeResources·BalancedAllocation`. */
function Breakable({ text }: { text: string }) {
  return text.split(/(?<=[a-z0-9])(?=[A-Z])/).map((word, i) => (
    <Fragment key={i}>
      {i > 0 ? <wbr /> : null}
      {word}
    </Fragment>
  ))
}

function OneBlock({ block }: { block: Block }) {
  switch (block.type) {
    case 'heading':
      return <h3 className={styles.heading}>{block.text}</h3>
    case 'text':
      return <p className={styles.text}>{block.text}</p>
    case 'facts':
      return (
        <dl className={styles.facts}>
          {block.facts.map((f) => (
            <Fragment key={f.name}>
              <dt>{f.name}</dt>
              <dd>{f.link ? <LinkTo link={f.link}>{f.value}</LinkTo> : f.value}</dd>
            </Fragment>
          ))}
        </dl>
      )
    case 'chips':
      return (
        <p className={styles.chips}>
          {block.chips.map((c) => (
            <span key={c.text} className={styles.badge} data-tone={c.tone}>
              {c.text}
            </span>
          ))}
        </p>
      )
    case 'table':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        <section className={styles.tableScroll} tabIndex={0} aria-label={block.caption}>
          <table className={styles.table}>
            <caption>{block.caption}</caption>
            <thead>
              <tr>
                {block.columns.map((c) => (
                  <th key={c} scope="col">
                    {c}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, r) => (
                <tr key={r}>
                  {row.map((cell, c) => (
                    <td key={c} data-tone={cell.tone}>
                      {c === 0 && !cell.link ? <Breakable text={cell.text} /> : <CellText cell={cell} />}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )
    case 'code':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        <pre className={styles.code} tabIndex={0}>
          {block.text}
        </pre>
      )
    case 'diff':
      return (
        <section className={styles.version}>
          <h3>
            <LinkTo link={{ to: 'record', record: block.record }}>{block.title}</LinkTo>
          </h3>
          <DiffText before={block.before} after={block.after} />
        </section>
      )
    case 'links':
      return (
        <ul className={styles.links}>
          {block.links.map((l, i) => (
            <li key={i}>
              <LinkTo link={l.link}>{l.label}</LinkTo> <span>{l.detail}</span>
            </li>
          ))}
        </ul>
      )
    case 'bars':
      return (
        <div className={styles.bars}>
          {block.bars.map((b) => (
            <Fragment key={b.name}>
              <span>{b.name}</span>
              <span className={styles.track}>
                <span style={{ width: `${b.max > 0 ? Math.min(100, (b.value / b.max) * 100) : 0}%` }} />
              </span>
              <span>{b.text}</span>
            </Fragment>
          ))}
        </div>
      )
  }
}
