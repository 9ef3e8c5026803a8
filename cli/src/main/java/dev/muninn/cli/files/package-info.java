/** A user's directories, and what is done with whole directories. */
package dev.muninn.cli.files;
