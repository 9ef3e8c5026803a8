/** The server: OpenAI's interface over HTTP, and a page. */
package dev.muninn.cli.serve;
