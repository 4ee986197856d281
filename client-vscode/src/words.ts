/** The view's words, in the user's language. */
import * as vscode from "vscode";
import type { Words } from "./messages";

export function words(): Words {
  return {
    conversation: vscode.l10n.t("Conversation"),
    history: vscode.l10n.t("History"),
    empty: vscode.l10n.t("Select code and choose Explain from the light bulb or the context menu, or ask a question below."),
    placeholder: vscode.l10n.t("Ask a question"),
    question: vscode.l10n.t("Question"),
    tasks: taskNames(),
    send: vscode.l10n.t("Send"),
    stop: vscode.l10n.t("Stop"),
    include: vscode.l10n.t("Ask about {0}", "{0}"),
    openPlace: vscode.l10n.t("Open {0}", "{0}"),
    jump: vscode.l10n.t("Jump to the End"),
    connect: vscode.l10n.t("Connect…"),
    code: vscode.l10n.t("Code"),
    copy: vscode.l10n.t("Copy"),
    copied: vscode.l10n.t("Copied"),
    insert: vscode.l10n.t("Insert at Cursor"),
    apply: vscode.l10n.t("Apply as Edit"),
    copyAnswer: vscode.l10n.t("Copy Answer"),
    retry: vscode.l10n.t("Ask Again"),
    reasoning: vscode.l10n.t("Reasoning"),
    reasoningFor: vscode.l10n.t("Reasoning… {0} s", "{0}"),
    reasonedFor: vscode.l10n.t("Reasoned for {0} s", "{0}"),
    sources: vscode.l10n.t("Sources"),
    excerpt: vscode.l10n.t("Excerpt"),
    working: vscode.l10n.t("Working…"),
    answering: vscode.l10n.t("Sidelight is answering."),
    answered: vscode.l10n.t("The answer is complete."),
    back: vscode.l10n.t("Back to the Conversation"),
    search: vscode.l10n.t("Search conversations"),
    nothingFound: vscode.l10n.t("No conversation has these words."),
    nothingYet: vscode.l10n.t("No conversations yet."),
    running: vscode.l10n.t("Answering…"),
    remove: vscode.l10n.t("Delete {0}", "{0}"),
    oneQuestion: vscode.l10n.t("1 question"),
    questions: vscode.l10n.t("{0} questions", "{0}"),
    today: vscode.l10n.t("Today"),
    yesterday: vscode.l10n.t("Yesterday"),
    thisWeek: vscode.l10n.t("Last 7 days"),
    older: vscode.l10n.t("Older"),
  };
}

export function taskNames(): Record<string, string> {
  return {
    ask: vscode.l10n.t("Ask"),
    explain: vscode.l10n.t("Explain"),
    fix: vscode.l10n.t("Fix"),
    generate: vscode.l10n.t("Generate"),
    apply: vscode.l10n.t("Apply"),
    insert: vscode.l10n.t("Insert"),
    restore: vscode.l10n.t("Restore"),
  };
}
