/** Tern proven with clients of other projects. */
package dev.tern.proof;
