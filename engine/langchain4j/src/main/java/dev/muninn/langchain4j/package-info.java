/** Chat models of LangChain4j: a model of Muninn answers in this process, without a server. */
package dev.muninn.langchain4j;
