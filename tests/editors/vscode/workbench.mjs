// What a user does in VS Code: opens files, calls commands, takes light-bulb actions, reads the view. Waits for what
// is to be seen, never for a time.

export class Workbench {
  constructor(page) {
    this.page = page;
    this.statusItem = page.locator('.statusbar-item[id*="sidelight.status"]');
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.locator(".explorer-folders-view .monaco-list-row").first().waitFor();
  }

  /** Opens a window without a folder. */
  async openEmpty(url) {
    await this.page.goto(url);
    await this.statusItem.waitFor();
  }

  async openFile(name) {
    await this.#pick(() => this.page.keyboard.press("Control+P"), name);
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    // The tab is active before the file is read; what is opened meanwhile would be overtaken by it.
    await this.page.locator(`.editor-group-container .monaco-editor[data-uri$="/${name}"] .view-line`).first().waitFor();
  }

  async command(title) {
    await this.#pick(() => this.page.keyboard.press("F1"), title);
  }

  /** Calls a command and takes what is named so from the list that it opens. */
  async commandAndPick(title, name) {
    await this.#pick(() => this.command(title), name);
  }

  /** Answers an input box, which is known by what it asks. */
  async answerBox(question, text) {
    await this.page.locator(".quick-input-widget", { hasText: question }).waitFor();
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Enter");
  }

  /** Chooses from a list that is known by its title; the row by a part of it. */
  async choose(title, text) {
    const list = this.page.locator(".quick-input-widget", { hasText: title });
    await list.waitFor();
    await list.locator(".monaco-list-row", { hasText: text }).first().click();
  }

  async goToLine(line) {
    await this.page.keyboard.press("Control+G");
    await this.#input().waitFor();
    await this.page.keyboard.type(String(line));
    await this.page.keyboard.press("Enter");
    await this.#input().waitFor({ state: "hidden" });
    await eventually(() => this.hasFocusInEditor(), Boolean);
  }

  async selectLine(line) {
    await this.goToLine(line);
    await this.page.keyboard.press("Home");
    await this.page.keyboard.press("Shift+End");
    await this.#selected();
  }

  async selectLines(first, last) {
    await this.goToLine(first);
    await this.page.keyboard.press("Home");
    for (let line = first; line < last; line++) await this.page.keyboard.press("Shift+ArrowDown");
    await this.page.keyboard.press("Shift+End");
    await this.#selected();
  }

  async focusEditor() {
    await this.command("View: Focus Active Editor Group");
  }

  /** Waits until nothing of ours is running. */
  async idle() {
    await this.statusThat((_text, icon) => !icon.includes("loading"));
  }

  /** How many stretches of the editor are marked as written by us. */
  async marks() {
    return this.page.locator(".editor-group-container .monaco-editor .view-overlays [class*='TextEditorDecorationType']").count();
  }

  /** Takes a light-bulb action at the cursor, whose title begins like this. VS Code closes a menu that opens while the
   * problems under the cursor are still changing, so it is opened again as a user would. */
  async lightBulb(title) {
    const row = this.page.locator(".action-widget .monaco-list-row", { hasText: title }).first();
    for (let attempt = 1; ; attempt += 1) {
      await this.page.keyboard.press("Control+.");
      try {
        return await row.click({ timeout: 5_000 });
      } catch (error) {
        await this.shot(`light-bulb-${attempt}`);
        if (attempt === 5) throw error;
        await this.page.keyboard.press("Escape");
        await this.page.locator(".editor-group-container .monaco-editor .view-lines").first().evaluate((lines) =>
          lines.closest(".monaco-editor").querySelector("textarea, .native-edit-context")?.focus());
      }
    }
  }

  lens(title) {
    return this.page.locator(".codelens-decoration a", { hasText: title });
  }

  /** The visible text of the editor. */
  async text() {
    return this.page.locator(".editor-group-container .monaco-editor .view-lines").first().evaluate((lines) =>
      [...lines.children]
        .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
        .map((line) => line.innerText.replaceAll("\u00a0", " "))
        .join("\n"));
  }

  /** The text of the editor of a file, where a preview shows another one. */
  async textOf(name) {
    await this.page.locator(`.tab[data-resource-name="${name}"]`).click();
    return this.text();
  }

  /** Waits until the editor shows a text that satisfies the check. */
  async textThat(satisfies) {
    return eventually(() => this.text(), satisfies);
  }

  get view() {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  }

  get answers() {
    return this.view.locator("article");
  }

  get answer() {
    return this.answers.last();
  }

  /** Asks from the palette, which begins a conversation. */
  async ask(question) {
    await this.command("Sidelight: Ask");
    await this.answerBox("What do you want to know?", question);
    await this.asked(question);
  }

  /** Waits until this is what was asked last in the conversation that is shown. */
  async asked(text) {
    await this.view.locator("article:last-child header", { hasText: text }).waitFor();
  }

  get box() {
    return this.view.locator("footer textarea");
  }

  /** Begins a conversation. Its box takes the focus late, and from whatever was opened meanwhile. */
  async newConversation() {
    await this.command("Sidelight: New Conversation");
    await eventually(() => this.box.evaluate((box) => document.activeElement === box), Boolean);
  }

  async showHistory() {
    await this.command("Sidelight: Show History");
    const search = this.view.getByRole("searchbox");
    await eventually(() => search.evaluate((box) => document.activeElement === box), Boolean);
  }

  /** Asks in the view, where the conversation goes on; about this place, where one is named. */
  async askOn(question, place = "") {
    // The view hears of a selection only when it rests, and asks about the one that it shows.
    if (place) await this.view.getByRole("button", { name: `Ask about ${place}`, exact: true, pressed: true }).waitFor();
    await this.box.fill(question);
    await this.box.press("Enter");
    await this.asked(question);
  }

  /** Presses a button of the view. */
  async press(name) {
    await this.view.getByRole("button", { name, exact: true }).click();
  }

  /** Waits until the last answer has ended in this way. */
  async ended(finish) {
    const ending = await this.ending();
    if (ending !== finish) throw new Error(`${ending}: ${await this.answer.innerText()}`);
  }

  /** Waits until the last answer has ended; returns how. */
  async ending() {
    const end = this.answer.locator(".end");
    await end.waitFor({ state: "attached" });
    return (await end.getAttribute("class")).replace("end ", "");
  }

  /** Waits for a text and an icon of the status bar item. */
  async statusThat(satisfies) {
    const read = () => this.statusItem.evaluate((item) => [item.innerText, item.querySelector(".codicon")?.className ?? ""]);
    await eventually(read, ([text, icon]) => satisfies(text, icon));
  }

  tabs() {
    return this.page.locator(".tabs-container .tab").count();
  }

  hasFocusInEditor() {
    return this.page.evaluate(() => document.activeElement?.closest(".editor-instance") !== null);
  }

  async shot(name) {
    if (process.env.SHOTS) await this.page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, animations: "disabled" });
  }

  async shotInBothThemes(name) {
    if (!process.env.SHOTS) return;
    for (const theme of ["Dark", "Light"]) {
      await this.command(`Preferences: Toggle between Light/Dark Themes`);
      await this.page.locator(theme === "Light" ? ".monaco-workbench.vs" : ".monaco-workbench.vs-dark").waitFor();
      await this.shot(`${name}-${theme.toLowerCase()}`);
    }
  }

  /** Waits for a message in the corner, and closes it. */
  async toast(text) {
    const toast = this.page.locator(".notification-toast", { hasText: text });
    await toast.waitFor();
    const shown = await toast.innerText();
    await this.shot("toast");
    await this.command("Notifications: Clear All Notifications");
    await toast.waitFor({ state: "detached" });
    return shown;
  }

  async #selected() {
    await this.page.locator('.statusbar-item[id="status.editor.selection"]', { hasText: "selected" }).waitFor();
  }

  #input() {
    return this.page.locator(".quick-input-widget input");
  }

  /** Opens a list and takes what is named so. What VS Code knows a moment later is there when it is opened again. */
  async #pick(open, text) {
    // The one that Enter takes: before what was typed counts, another one may stand above it.
    const row = this.page.locator(`.quick-input-list .monaco-list-row.focused[aria-label^="${text}"]`).first();
    for (let attempt = 1; ; attempt += 1) {
      await open();
      await this.#input().waitFor();
      await this.page.keyboard.type(text);
      try {
        await row.waitFor({ timeout: 10_000 });
        break;
      } catch (error) {
        if (attempt === 6) throw error;
        await this.page.keyboard.press("Escape");
        await this.#input().waitFor({ state: "hidden" });
      }
    }
    await this.page.keyboard.press("Enter");
    await row.waitFor({ state: "hidden" });
  }
}

/** Reads until the value satisfies the check; fails with the last value after a minute. */
export async function eventually(read, satisfies) {
  let value;
  for (const until = Date.now() + 60_000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 50))) {
    value = await read();
    if (satisfies(value)) return value;
  }
  throw new Error(`waited a minute, and saw last:\n${value}`);
}
