/**
 * Builds elements. Text always goes in as a text node, so nothing that a log record contains can become markup; there is
 * no way in this page to set HTML.
 */
type Child = Node | string | null | undefined | false
type Listener = (event: never) => void
type Props = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>

/**
 * An element with attributes and children. A function under `onclick`, `oninput`… becomes a listener; `true` sets an empty
 * attribute, `false`/`null`/`undefined` sets none.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, props: Props = {}, ...children: readonly Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  setProps(element, props)
  append(element, children)
  return element
}

/** The same for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(tag: Tag, props: Props = {}, ...children: readonly Child[]): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  setProps(element, props)
  append(element, children)
  return element
}

/** Replaces all children. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren()
  append(parent, children)
}

function setProps(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) if (child !== null && child !== undefined && child !== false) parent.append(child)
}

/** A button that copies a text and says so. */
export function copyButton(text: string, what: string): HTMLButtonElement {
  const button = h('button', { class: 'copy', type: 'button', 'aria-label': `Copy ${what}`, title: `Copy ${what}` }, 'copy')
  button.addEventListener('click', (event) => {
    event.stopPropagation()
    navigator.clipboard.writeText(text).then(
      () => flash(button, 'copied'),
      () => flash(button, 'cannot copy'),
    )
  })
  return button
}

function flash(button: HTMLButtonElement, word: string): void {
  button.textContent = word
  setTimeout(() => {
    button.textContent = 'copy'
  }, 1200)
}
