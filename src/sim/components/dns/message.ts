// DNS questions and answers, records as text: `name. ttl TYPE data`.

/** Kind of the call to CoreDNS. */
export const DNS_QUERY = 'dns.query'

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'SRV' | 'PTR' | 'TXT' | 'NS' | 'SOA' | 'MX' | (string & {})

export interface DnsQuestion {
  /** With or without the dot at its end. */
  readonly name: string
  readonly type: RecordType
}

export interface DnsResponse {
  readonly status: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED'
  readonly flags: string
  readonly answer: readonly string[]
  readonly authority: readonly string[]
  readonly additional: readonly string[]
}

/** What CoreDNS is asked over the network. */
export interface DnsQuery extends DnsQuestion {
  readonly from: string
}

/** Addresses in an answer. */
export const addressesOf = (response: DnsResponse): string[] =>
  response.answer.flatMap((record) => {
    const [, , type, data] = record.split(' ')
    return type === 'A' && data !== undefined ? [data] : []
  })
