"""Everything that can be configured, in the order in which users read of it."""

from __future__ import annotations

from sidelight.messages import msg
from sidelight.setting_values import Setting

PROVIDERS = ("anythingllm", "openai", "ollama", "dashscope", "transformers", "builtin")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "provider", "SIDELIGHT_PROVIDER", "provider", "choice", "auto",
        msg("Where answers come from. auto takes what has an address, else a model server that runs on this machine, "
            "else the built-in provider."),
        choices=("auto", *PROVIDERS),
    ),
    Setting(
        "model", "SIDELIGHT_MODEL", "model", "text", "",
        msg("The model to ask, by the provider's own name for it. Empty: the only one, or the one that is loaded."),
    ),
    Setting(
        "anythingllm.base_url", "ANYTHINGLLM_BASE_URL", "anythingllm.baseUrl", "url", "",
        msg("Address of AnythingLLM: the bare origin, or ending in /api or /api/v1."),
    ),
    Setting(
        "anythingllm.api_key", "ANYTHINGLLM_API_KEY", "anythingllm.apiKey", "text", "",
        msg("A developer API key of AnythingLLM (Settings, Tools, Developer API)."),
        secret=True,
    ),
    Setting(
        "anythingllm.workspace", "ANYTHINGLLM_WORKSPACE_SLUG", "anythingllm.workspace", "text", "",
        msg("The AnythingLLM workspace to ask, by its slug. Empty: the only one there is."),
    ),
    Setting(
        "anythingllm.mode", "SIDELIGHT_ANYTHINGLLM_MODE", "anythingllm.mode", "choice", "chat",
        msg("chat: documents, history and general knowledge. query: only what the documents say."),
        choices=("chat", "query"),
    ),
    Setting(
        "anythingllm.attachments", "SIDELIGHT_ANYTHINGLLM_ATTACHMENTS", "anythingllm.attachments", "choice", "auto",
        msg("Whether code is attached to questions as documents, so that it does not disturb the search in the "
            "knowledge base. auto: where `sidelight doctor` or Connect found that the server takes them."),
        choices=("auto", "on", "off"),
    ),
    Setting(
        "knowledge", "SIDELIGHT_KNOWLEDGE", "knowledge", "choice", "",
        msg("A knowledge base for every other provider: anythingllm looks each question up in the AnythingLLM "
            "workspace, and the provider's model answers. Empty: none."),
        choices=("", "anythingllm"),
    ),
    Setting(
        "openai.base_url", "OPENAI_BASE_URL", "openai.baseUrl", "url", "",
        msg("Address of any OpenAI-compatible server; ends in /v1, such as http://localhost:1234/v1."),
    ),
    Setting(
        "openai.api_key", "OPENAI_API_KEY", "openai.apiKey", "text", "",
        msg("The key of the OpenAI-compatible server; empty for one that wants none."),
        secret=True,
    ),
    Setting(
        "openai.model", "OPENAI_MODEL", "openai.model", "text", "",
        msg("The model of the OpenAI-compatible server. Empty: SIDELIGHT_MODEL."),
    ),
    Setting(
        "openai.body", "SIDELIGHT_OPENAI_BODY", "openai.body", "object", {},
        msg("Extra fields for the body of every request to the OpenAI-compatible server, as a JSON object."),
        scope="user",
    ),
    Setting(
        "ollama.host", "OLLAMA_HOST", "ollama.host", "host", "",
        msg("Where Ollama runs, as Ollama itself reads it: host, host:port or an address."),
    ),
    Setting(
        "ollama.model", "OLLAMA_MODEL", "ollama.model", "text", "",
        msg("The model of Ollama. Empty: SIDELIGHT_MODEL."),
    ),
    Setting(
        "ollama.keep_alive", "SIDELIGHT_OLLAMA_KEEP_ALIVE", "ollama.keepAlive", "text", "",
        msg("How long Ollama keeps the model loaded after an answer, such as 30m; -1 for ever. Empty: Ollama's own."),
    ),
    Setting(
        "dashscope.base_url", "DASHSCOPE_BASE_URL", "dashscope.baseUrl", "url", "",
        msg("Address of DashScope, by the region of your key; ends in /api/v1. Empty: China's."),
    ),
    Setting(
        "dashscope.api_key", "DASHSCOPE_API_KEY", "dashscope.apiKey", "text", "",
        msg("A key of DashScope (Alibaba Cloud Model Studio)."),
        secret=True,
    ),
    Setting(
        "dashscope.model", "DASHSCOPE_MODEL", "dashscope.model", "text", "",
        msg("The model of DashScope. Empty: SIDELIGHT_MODEL, else qwen-plus."),
    ),
    Setting(
        "transformers.model", "SIDELIGHT_TRANSFORMERS_MODEL", "transformers.model", "file", "",
        msg("The model that runs on this machine with Transformers: a folder, or a name on the hub."),
        scope="user",
    ),
    Setting(
        "transformers.python", "SIDELIGHT_TRANSFORMERS_PYTHON", "transformers.python", "file", "",
        msg("The Python that has torch and transformers. Empty: the one that runs Sidelight."),
        scope="user",
    ),
    Setting(
        "transformers.download", "SIDELIGHT_TRANSFORMERS_DOWNLOAD", "transformers.download", "flag", False,
        msg("1: a model that is not on this machine yet may be downloaded from the hub."),
        scope="user",
    ),
    Setting(
        "transformers.device", "SIDELIGHT_TRANSFORMERS_DEVICE", "transformers.device", "text", "auto",
        msg("What computes: auto, cpu, cuda, cuda:1, mps."),
        scope="user",
    ),
    Setting(
        "transformers.dtype", "SIDELIGHT_TRANSFORMERS_DTYPE", "transformers.dtype", "choice", "auto",
        msg("The numbers it computes with; auto suits device and model."),
        scope="user", choices=("auto", "float32", "float16", "bfloat16"),
    ),
    Setting(
        "transformers.idle_minutes", "SIDELIGHT_TRANSFORMERS_IDLE", "transformers.idleMinutes", "number", 15.0,
        msg("Minutes without a question after which the model is unloaded."),
        scope="user", minimum=0.01,
    ),
    Setting(
        "temperature", "SIDELIGHT_TEMPERATURE", "temperature", "optional_number", "",
        msg("How freely the model chooses its words, from 0 up. Empty: as the model likes. AnythingLLM has its own."),
    ),
    Setting(
        "max_tokens", "SIDELIGHT_MAX_TOKENS", "maxTokens", "integer", 0,
        msg("The longest answer, in tokens; 0: as long as the model likes. AnythingLLM has its own."),
    ),
    Setting(
        "context_tokens", "SIDELIGHT_CONTEXT_TOKENS", "contextTokens", "integer", 0,
        msg("How many tokens the model reads and writes together; 0: the server is asked. AnythingLLM does not tell: "
            "set here what its model has."),
    ),
    Setting(
        "system_prompt", "SIDELIGHT_SYSTEM_PROMPT", "systemPrompt", "prose", "",
        msg("What the model is told before every question, after Sidelight's own orders."),
    ),
    Setting(
        "connect_timeout_s", "SIDELIGHT_CONNECT_TIMEOUT", "connectTimeout", "number", 5.0,
        msg("Seconds to wait for a connection."),
        minimum=0.1,
    ),
    Setting(
        "silence_timeout_s", "SIDELIGHT_SILENCE_TIMEOUT", "silenceTimeout", "number", 300.0,
        msg("Seconds without a word from the provider after which an answer counts as cut off."),
        minimum=0.1,
    ),
    Setting(
        "retries", "SIDELIGHT_RETRIES", "retries", "integer", 2,
        msg("How often a request is sent again while nothing of the answer has arrived."),
    ),
    Setting(
        "ca_file", "SIDELIGHT_CA_FILE", "caFile", "file", "",
        msg("A file with the certificates (PEM) to trust instead of the usual ones."),
        scope="user",
    ),
    Setting(
        "headers", "SIDELIGHT_HEADERS", "headers", "headers", {},
        msg("Extra HTTP headers for every request, as a JSON object; for reverse proxies that want their own."),
        scope="user", secret=True,
    ),
    Setting(
        "prompt_tokens", "SIDELIGHT_PROMPT_TOKENS", "promptTokens", "integer", 8000,
        msg("How many tokens a prompt may have, about; the document is shown around the place to fit."),
        minimum=500,
    ),
    Setting(
        "answer_language", "SIDELIGHT_ANSWER_LANGUAGE", "answerLanguage", "text", "",
        msg("Language of the answers, such as en or zh-cn. Empty: the editor's."),
    ),
    Setting(
        "edits", "SIDELIGHT_EDITS", "edits", "choice", "auto",
        msg("How edits reach the document: live while the answer arrives, once at its end, or only as a page."),
        choices=("auto", "live", "once", "page"),
    ),
    Setting(
        "review", "SIDELIGHT_REVIEW", "review", "choice", "inline",
        msg("inline: edits are written, and kept or undone afterwards. preview: the editor shows them first, and "
            "writes what you choose."),
        choices=("inline", "preview"),
    ),
    Setting(
        "restore_points", "SIDELIGHT_RESTORE_POINTS", "restorePoints", "flag", True,
        msg("Whether the text of a document from before each edit is kept on this machine, to be restored later."),
        scope="user",
    ),
    Setting(
        "restore_days", "SIDELIGHT_RESTORE_DAYS", "restoreDays", "integer", 30,
        msg("For how many days restore points are kept."),
        scope="user", minimum=1,
    ),
    Setting(
        "restore_mib", "SIDELIGHT_RESTORE_MIB", "restoreMib", "integer", 100,
        msg("How much room restore points may take, in MiB; the oldest go first."),
        scope="user", minimum=1,
    ),
    Setting(
        "history", "SIDELIGHT_HISTORY", "history", "flag", True,
        msg("Whether conversations are kept on this machine, to be read, searched and continued later."),
        scope="user",
    ),
    Setting(
        "history_days", "SIDELIGHT_HISTORY_DAYS", "historyDays", "integer", 90,
        msg("For how many days conversations are kept after they were last continued."),
        scope="user", minimum=1,
    ),
    Setting(
        "history_mib", "SIDELIGHT_HISTORY_MIB", "historyMib", "integer", 200,
        msg("How much room conversations may take, in MiB; the oldest go first."),
        scope="user", minimum=1,
    ),
    Setting(
        "sources.map", "SIDELIGHT_SOURCES_MAP", "sources.map", "object", {},
        msg("Where sources of the knowledge base are on this machine: a JSON object from the beginning of their "
            "address, path or title to a folder, which may be relative to the workspace."),
        scope="user",
    ),
    Setting(
        "log_level", "SIDELIGHT_LOG_LEVEL", "logLevel", "choice", "info",
        msg("How much the log file tells. debug includes what is sent and received, your code too."),
        scope="user", choices=("debug", "info", "warning", "error"),
    ),
    Setting(
        "message_limit_mib", "SIDELIGHT_MESSAGE_LIMIT_MIB", "messageLimitMib", "integer", 64,
        msg("The largest message that the server takes from the editor, in MiB."),
        scope="user", minimum=1,
    ),
    Setting(
        "trust_workspace", "SIDELIGHT_TRUST_WORKSPACE", "trustWorkspace", "flag", False,
        msg("1 lets the .env of the opened folder count, for editors that cannot say that it is trusted."),
        scope="user",
    ),
)  # fmt: skip
