/** Light or dark: what the system prefers, until the reader chooses. */
const KEY = 'trailjoin.theme'
type Theme = 'light' | 'dark'

const preference = matchMedia('(prefers-color-scheme: dark)')
const chosen = (): Theme | null => {
  const value = localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : null
}

export const currentTheme = (): Theme => chosen() ?? (preference.matches ? 'dark' : 'light')

/** Applies the theme now and whenever the system's preference changes. `onChange` repaints what takes its colours from the style sheet. */
export function startTheme(onChange: () => void): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = currentTheme()
    onChange()
  }
  preference.addEventListener('change', apply)
  document.addEventListener('theme-chosen', apply)
  apply()
}

/** Switches to the other theme and remembers it. */
export function toggleTheme(): void {
  localStorage.setItem(KEY, currentTheme() === 'dark' ? 'light' : 'dark')
  document.dispatchEvent(new Event('theme-chosen'))
}
