"""How calls of language models look: packages, methods and addresses that mean one. Tables only; what is made of them stands in checks and flow tables."""

from __future__ import annotations

import re

PYTHON_PACKAGES = frozenset({
    "openai", "anthropic", "litellm", "groq", "together", "cerebras", "mistralai", "cohere", "ollama", "vertexai", "replicate", "fireworks",
    "google.generativeai", "google.genai", "langchain", "langchain_core", "langchain_openai", "langchain_anthropic", "langchain_google_genai",
    "langchain_google_vertexai", "langchain_groq", "langchain_ollama", "langchain_community", "langchain_mistralai", "langchain_aws", "langchain_cohere",
    "langchain_classic", "langgraph", "llama_index", "pydantic_ai", "agents", "smolagents", "crewai", "autogen", "instructor", "dspy", "haystack",
    "semantic_kernel", "huggingface_hub",
})  # fmt: skip
"""Python packages through which models are called; a dotted name stands for a part of a shared namespace."""

_SCRIPT_PACKAGES = re.compile(
    r"^(?:npm:|https?://\S*/)?(?:openai|@anthropic-ai/(?:sdk|bedrock-sdk|vertex-sdk)|@google/(?:generative-ai|genai)|@google-cloud/vertexai|groq-sdk|cohere-ai|ollama|together-ai|replicate"
    r"|@mistralai/mistralai|ai|@ai-sdk/[\w-]+|langchain|@langchain/[\w-]+|llamaindex|@llamaindex/[\w-]+|@openai/agents|@openrouter/ai-sdk-provider|@aws-sdk/client-bedrock-runtime|@azure/openai)(?:@[\w.^~-]+)?(?:/[\w./-]*)?$"
)

UNMISTAKABLE = re.compile(
    r"(?:^|\.)(?:chat\.completions|chat\(\)\.completions|beta\.chat\.completions)\.(?:create|acreate|stream|parse|withResponse)$|(?:^|\.)ChatCompletion\.a?create$|(?:^|\.)responses\.(?:create|stream|parse)$"
    r"|\.(?:generate_content|generate_content_async|generate_content_stream|generateContent|generateContentStream)$"
    r"|^litellm\.(?:a?completion|a?responses|a?text_completion)$|\.invoke_model(?:_with_response_stream)?$|\.converse(?:_stream)?$|^new (?:InvokeModel|Converse)\w*Command$"
)
"""Dotted calls that nothing but a model's client has."""

METHODS = re.compile(
    r"(?:^|\.)(?:messages\.(?:create|stream|parse)|completions\.create|chat\.(?:complete|completeAsync|complete_async|stream|stream_async|send))$|^a?completion$"
    r"|\.(?:chat(?:_stream|Stream)?|send_message(?:_async|_stream)?|sendMessage(?:Stream)?|generate(?:_text|_object)?|completion|acompletion|text_generation|chat_completion)$"
)
"""Methods that mean a model's client in a file that imports one."""

CHAINS = re.compile(
    r"(?:^|[._])(?:\w*(?:llm|model|chain|agent|graph|crew|executor|chatbot|qa|runnable)\w*)(?:\(\))?\.(?:a?invoke|a?stream|astream_events|a?predict|a?run|run_sync|run_stream|a?call|apredict|a?complete|a?chat|kickoff|a?query|generate)$"
    r"|(?:query_?engine|chat_?engine)\w*\.(?:a?query|a?chat|a?stream_chat)$|^Runner\.(?:run|run_sync|run_streamed)$|\.withStructuredOutput\(\)\.invoke$|\.with_structured_output\(\)\.a?invoke$|\.bind_tools\(\)\.a?invoke$|\.bindTools\(\)\.invoke$",
    re.IGNORECASE,
)
"""Calls on the objects that frameworks of chains and agents make, in a file that imports one."""

SCRIPT_FUNCTIONS = frozenset({"generateText", "streamText", "generateObject", "streamObject"})
"""Functions of the `ai` package."""

HOST = re.compile(
    r"^https?://(?:[\w-]+\.)*(?:api\.openai\.com|api\.anthropic\.com|generativelanguage\.googleapis\.com|aiplatform\.googleapis\.com|openrouter\.ai/api|api\.groq\.com|api\.mistral\.ai|api\.deepseek\.com|api\.cohere\.(?:ai|com)"
    r"|api\.perplexity\.ai|api\.x\.ai|api\.together\.(?:xyz|ai)|ai\.gateway\.lovable\.dev|api-inference\.huggingface\.co|openai\.azure\.com|gateway\.ai\.cloudflare\.com|api\.fireworks\.ai)\b(?!\S*/(?:models/?$|embeddings|audio|key$))",
)
"""Addresses at which a model answers; lists of models, embeddings and sound are other services."""

OUTPUT_LIMITS = frozenset({
    "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "max_tokens_to_sample", "num_predict",
    "maxTokens", "maxOutputTokens", "maxCompletionTokens", "maxNewTokens", "numPredict", "maxTokensToSample",
})  # fmt: skip
"""Settings that limit how long an answer may become."""


def is_package(module: str, *, script: bool) -> bool:
    """Whether an imported module is a client of language models or a framework around one."""
    if script:
        return _SCRIPT_PACKAGES.match(module) is not None
    parts = module.lstrip(".").split(".")
    return not module.startswith(".") and (parts[0] in PYTHON_PACKAGES or ".".join(parts[:2]) in PYTHON_PACKAGES)
