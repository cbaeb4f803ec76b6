"""A chain of LangChain's: a prompt, a model, a parser.

    pip install '.[auto]' langchain langchain-openai
    export OPENAI_API_KEY=...
    opentelemetry-instrument --traces_exporter console --metrics_exporter none --logs_exporter none python docs/examples/langchain_chain.py

The call of the model is seen on the wire below LangChain. The span is printed when the program ends.
"""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

chain = ChatPromptTemplate.from_template("Name a town by the {water}.") | ChatOpenAI(model="gpt-4o-mini") | StrOutputParser()
print(chain.invoke({"water": "sea"}))
