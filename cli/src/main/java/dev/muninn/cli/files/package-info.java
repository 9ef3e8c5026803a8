/** A user's directories. */
package dev.muninn.cli.files;
