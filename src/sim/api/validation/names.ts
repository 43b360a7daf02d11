// Rules for names and other short strings: pkg/util/validation/validation.go, pkg/api/validate/content, pkg/api/validation/generic.go.
// Every rule returns the list of what is wrong, empty if nothing is.
import { byteLength } from '../go-text.ts'

export type ValidateNameFunc = (name: string, prefix: boolean) => string[]

export const maxLenError = (length: number): string => `must be no more than ${length} characters`
const maxBytesError = (length: number): string => `must be no more than ${length} bytes`
export const emptyError = 'must be non-empty'
export const inclusiveRangeError = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`

export const regexError = (message: string, format: string, ...examples: string[]): string =>
  examples.length === 0
    ? `${message} (regex used for validation is '${format}')`
    : `${message} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${format}')`

const whole = (format: string): RegExp => new RegExp(`^(?:${format})$`)

const LABEL_KEY_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_KEY_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const LABEL_VALUE = `(${LABEL_KEY_NAME})?`
const LABEL_VALUE_MESSAGE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const DNS1123_LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`
const DNS1123_SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const DNS1123_LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const DNS1123_SUBDOMAIN_UNDERSCORE = `${DNS1123_LABEL_UNDERSCORE}(\\.${DNS1123_LABEL_UNDERSCORE})*`
const DNS1123_SUBDOMAIN_UNDERSCORE_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character"
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?'
const DNS1035_LABEL_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
const WILDCARD_SUBDOMAIN = `\\*\\.${DNS1123_SUBDOMAIN}`
const WILDCARD_SUBDOMAIN_MESSAGE =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*'
const PERCENT = '[0-9]+%'
const HTTP_HEADER_NAME = '[-A-Za-z0-9]+'
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const ENV_VAR_NAME = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const CONFIG_MAP_KEY = '[-._a-zA-Z0-9]+'

const labelKeyName = whole(LABEL_KEY_NAME)
const labelValue = whole(LABEL_VALUE)
const dns1123Label = whole(DNS1123_LABEL)
const dns1123Subdomain = whole(DNS1123_SUBDOMAIN)
const dns1123SubdomainUnderscore = whole(DNS1123_SUBDOMAIN_UNDERSCORE)
const dns1035Label = whole(DNS1035_LABEL)
const wildcardSubdomain = whole(WILDCARD_SUBDOMAIN)
const cIdentifier = whole(C_IDENTIFIER)
const percent = whole(PERCENT)
const httpHeaderName = whole(HTTP_HEADER_NAME)
const httpPath = whole(HTTP_PATH)
const envVarName = whole(ENV_VAR_NAME)
const configMapKey = whole(CONFIG_MAP_KEY)

export const isDNS1123Label = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 63) errors.push(maxLenError(63))
  if (!dns1123Label.test(value)) {
    errors.push(
      dns1123Subdomain.test(value) ? 'must not contain dots' : regexError(DNS1123_LABEL_MESSAGE, DNS1123_LABEL, 'my-name', '123-abc'),
    )
  }
  return errors
}

export const isDNS1123Subdomain = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 253) errors.push(maxLenError(253))
  if (!dns1123Subdomain.test(value)) errors.push(regexError(DNS1123_SUBDOMAIN_MESSAGE, DNS1123_SUBDOMAIN, 'example.com'))
  return errors
}

export const isDNS1123SubdomainWithUnderscore = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 253) errors.push(maxLenError(253))
  if (!dns1123SubdomainUnderscore.test(value))
    errors.push(regexError(DNS1123_SUBDOMAIN_UNDERSCORE_MESSAGE, DNS1123_SUBDOMAIN_UNDERSCORE, 'example.com'))
  return errors
}

export const isDNS1035Label = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 63) errors.push(maxLenError(63))
  if (!dns1035Label.test(value)) errors.push(regexError(DNS1035_LABEL_MESSAGE, DNS1035_LABEL, 'my-name', 'abc-123'))
  return errors
}

export const isWildcardDNS1123Subdomain = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 253) errors.push(maxLenError(253))
  if (!wildcardSubdomain.test(value)) errors.push(regexError(WILDCARD_SUBDOMAIN_MESSAGE, WILDCARD_SUBDOMAIN, '*.example.com'))
  return errors
}

/** Lengths inside the content package are counted in bytes, and say so. */
const contentSubdomain = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 253) errors.push(maxBytesError(253))
  if (!dns1123Subdomain.test(value)) errors.push(regexError(DNS1123_SUBDOMAIN_MESSAGE, DNS1123_SUBDOMAIN, 'example.com'))
  return errors
}

/** Label keys, and everything else upstream calls a qualified name. */
export const isQualifiedName = (value: string): string[] => {
  const parts = value.split('/')
  const errors: string[] = []
  if (parts.length > 2) {
    return [
      `a valid label key ${regexError(LABEL_KEY_MESSAGE, LABEL_KEY_NAME, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts[parts.length - 1] as string
  if (parts.length === 2) {
    const prefix = parts[0] as string
    if (prefix === '') errors.push(`prefix part ${emptyError}`)
    else errors.push(...contentSubdomain(prefix).map((m) => `prefix part ${m}`))
  }
  if (name === '') errors.push(`name part ${emptyError}`)
  else if (byteLength(name) > 63) errors.push(`name part ${maxBytesError(63)}`)
  if (!labelKeyName.test(name)) errors.push(`name part ${regexError(LABEL_KEY_MESSAGE, LABEL_KEY_NAME, 'MyName', 'my.name', '123-abc')}`)
  return errors
}

export const isValidLabelValue = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 63) errors.push(maxBytesError(63))
  if (!labelValue.test(value)) errors.push(regexError(LABEL_VALUE_MESSAGE, LABEL_VALUE, 'MyValue', 'my_value', '12345'))
  return errors
}

export const isCIdentifier = (value: string): string[] =>
  cIdentifier.test(value)
    ? []
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          C_IDENTIFIER,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ]

export const isInRange = (value: number, low: number, high: number): string[] =>
  value >= low && value <= high ? [] : [inclusiveRangeError(low, high)]
export const isValidPortNum = (port: number): string[] => isInRange(port, 1, 65535)
export const isValidGroupID = (gid: number): string[] => isInRange(gid, 0, 2147483647)
export const isValidUserID = (uid: number): string[] => isInRange(uid, 0, 2147483647)

/** IANA service names. */
export const isValidPortName = (port: string): string[] => {
  const errors: string[] = []
  if (byteLength(port) > 15) errors.push(maxLenError(15))
  if (!/^[-a-z0-9]+$/.test(port)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(port)) errors.push('must contain at least one letter (a-z)')
  if (port.includes('--')) errors.push('must not contain consecutive hyphens')
  if (port.startsWith('-') || port.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

export const isValidPercent = (value: string): string[] =>
  percent.test(value) ? [] : [regexError("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, '1%', '93%')]

export const isHTTPHeaderName = (value: string): string[] =>
  httpHeaderName.test(value)
    ? []
    : [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", HTTP_HEADER_NAME, 'X-Header-Name')]

const changesDirectory = (value: string): string[] =>
  value === '.' ? ["must not be '.'"] : value === '..' ? ["must not be '..'"] : value.startsWith('..') ? ["must not start with '..'"] : []

export const isEnvVarName = (value: string): string[] => {
  const errors: string[] = []
  if (!envVarName.test(value)) {
    errors.push(
      regexError(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
        ENV_VAR_NAME,
        'my.env-name',
        'MY_ENV.NAME',
        'MyEnvName1',
      ),
    )
  }
  return [...errors, ...changesDirectory(value)]
}

export const isRelaxedEnvVarName = (value: string): string[] => {
  const errors: string[] = []
  if (value === '') errors.push(`environment variable name ${emptyError}`)
  if (!/^[\x20-\x3c\x3e-\x7e]*$/.test(value))
    errors.push("a valid environment variable name must consist only of printable ASCII characters other than '='")
  return errors
}

export const isConfigMapKey = (value: string): string[] => {
  const errors: string[] = []
  if (byteLength(value) > 253) errors.push(maxLenError(253))
  if (!configMapKey.test(value)) {
    errors.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_MAP_KEY,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    )
  }
  return [...errors, ...changesDirectory(value)]
}

export const isHTTPPath = (value: string): boolean => httpPath.test(value)
export const httpPathError = (): string => regexError('Invalid path', HTTP_PATH)

/** Names as segments of a URL path: everything that is not `.`, `..` and has no `/` or `%`. */
export const validatePathSegmentName: ValidateNameFunc = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`)
}

/** A generateName may end in a dash. Upstream drops the character before it too; a one-character rest is never empty. */
const maskTrailingDash = (name: string): string => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)

export const nameIsDNSSubdomain: ValidateNameFunc = (name, prefix) => isDNS1123Subdomain(prefix ? maskTrailingDash(name) : name)
export const nameIsDNSLabel: ValidateNameFunc = (name, prefix) => isDNS1123Label(prefix ? maskTrailingDash(name) : name)
export const nameIsDNS1035Label: ValidateNameFunc = (name, prefix) => isDNS1035Label(prefix ? maskTrailingDash(name) : name)
export const validateNamespaceName = nameIsDNSLabel
export const validateServiceAccountName = nameIsDNSSubdomain
