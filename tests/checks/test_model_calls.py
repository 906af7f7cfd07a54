"""Which calls are calls of a language model, and which of them limit the length of the answer."""

from __future__ import annotations

import pytest

from auditor.checks.model_calls import model_calls
from auditor.languages.python import read_python
from auditor.languages.script import read_script
from auditor.model.snapshot import Language

PYTHON = {
    "client.chat.completions.create(model='m', messages=[])": True,
    "self.client.beta.chat.completions.parse(model='m', messages=[])": True,
    "client.responses.create(model='m', input='x')": True,
    "await asyncio.to_thread(client.chat.completions.create, model='m')": True,
    "model.generate_content('x')": True,
    "bedrock.invoke_model(body=b'')": True,
    "requests.post('https://api.anthropic.com/v1/messages', json={})": True,
    "client.messages.create(model='m', messages=[])": True,
    "twilio.messages.create(to='x', body='y')": False,
    "requests.get('https://openrouter.ai/api/v1/models')": False,
    "requests.post('https://example.com/v1/messages', json={})": False,
    "chain.invoke('x')": False,
    "import langchain\nchain.invoke('x')": True,
    "import ollama\nollama.chat(model='m', messages=[])": True,
    "from crewai import Crew\ncrew.kickoff()": True,
}
SCRIPT = {
    "await openai.chat.completions.create({ model, messages });": True,
    'import { streamText } from "ai";\nstreamText({ model, prompt });': True,
    "generateText(12);": False,
    "await genAI.models.generateContent({ contents });": True,
    'fetch("https://api.openai.com/v1/chat/completions", { method: "POST" });': True,
    'const URL = "https://ai.gateway.lovable.dev/v1/chat/completions";\nfetch(URL, {});': True,
    "fetch(`https://generativelanguage.googleapis.com/v1beta/models/m:generateContent?key=${key}`);": True,
    'fetch("https://api.openai.com/v1/embeddings", {});': False,
    "await client.send(new InvokeModelCommand({ modelId }));": True,
    'import { useChat } from "@ai-sdk/react";\nsendMessage({ text });': False,
    "client.messages.create({ model, messages });": True,
    "client.messages.create({ to, body });": False,
}


@pytest.mark.parametrize("text", PYTHON)
def test_python_calls(text: str) -> None:
    assert bool(model_calls([read_python("app/ask.py", text + "\n")])) is PYTHON[text]


@pytest.mark.parametrize("text", SCRIPT)
def test_script_calls(text: str) -> None:
    assert bool(model_calls([read_script("app/ask.ts", text + "\n", Language.TYPESCRIPT)])) is SCRIPT[text]


def test_limits_of_the_answer() -> None:
    def limited(text: str) -> bool:
        return model_calls([read_python("ask.py", text)])[0].limited

    assert limited("client.chat.completions.create(model='m', max_tokens=10)\n")
    assert limited("client.models.generate_content(model='m', config={'max_output_tokens': 10})\n")
    assert limited("settings = {'max_tokens': 10}\nclient.chat.completions.create(**settings)\n")
    assert not limited("client.chat.completions.create(model='m')\n")


def test_models_on_the_own_machine() -> None:
    assert model_calls([read_python("ask.py", "import ollama\nollama.chat(model='m')\n")])[0].local
    assert not model_calls([read_python("ask.py", "import openai\nopenai.OpenAI().responses.create(model='m')\n")])[0].local
