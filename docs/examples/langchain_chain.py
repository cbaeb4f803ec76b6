"""A chain of LangChain's: a prompt, a model, a parser.

    pip install '.[auto]' langchain langchain-openai
    export OPENAI_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/langchain_chain.py

The call of the model is seen on the wire below LangChain. The span is printed when the program ends.
"""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

prompt = ChatPromptTemplate.from_template("Name a town by the {water}.")
chain = prompt | ChatOpenAI(model="gpt-4o-mini") | StrOutputParser()
print(chain.invoke({"water": "sea"}))
