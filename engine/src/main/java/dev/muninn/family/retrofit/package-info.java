/** The Retrofit family. */
package dev.muninn.family.retrofit;
