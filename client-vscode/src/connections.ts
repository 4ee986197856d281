/** The providers that one connects to: where their address and model are set, and what their key is called. */

export interface Connection {
  provider: "anythingllm" | "openai" | "ollama" | "dashscope";
  name: string;
  /** The usual address, offered to be changed. Empty: the vendor's own, which need not be entered. */
  address: string;
  addressSetting: string;
  modelSetting: string;
  /** The variable in which the server looks for the key; none where there are no keys. */
  keyVariable?: string;
}

export const CONNECTIONS: readonly Connection[] = [
  {
    provider: "anythingllm",
    name: "AnythingLLM",
    address: "http://localhost:3001",
    addressSetting: "anythingllm.baseUrl",
    modelSetting: "anythingllm.workspace",
    keyVariable: "ANYTHINGLLM_API_KEY",
  },
  {
    provider: "ollama",
    name: "Ollama",
    address: "http://localhost:11434",
    addressSetting: "ollama.host",
    modelSetting: "ollama.model",
  },
  {
    provider: "openai",
    name: "OpenAI-compatible",
    address: "http://localhost:1234/v1",
    addressSetting: "openai.baseUrl",
    modelSetting: "openai.model",
    keyVariable: "OPENAI_API_KEY",
  },
  {
    provider: "dashscope",
    name: "DashScope",
    address: "",
    addressSetting: "dashscope.baseUrl",
    modelSetting: "dashscope.model",
    keyVariable: "DASHSCOPE_API_KEY",
  },
];
