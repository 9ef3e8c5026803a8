/** The {@code chat} command: a conversation on a terminal or through pipes. */
package dev.muninn.cli.chat;
