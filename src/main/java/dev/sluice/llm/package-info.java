/** Public annotations for calls of language models. */
@NullMarked
package dev.sluice.llm;

import org.jspecify.annotations.NullMarked;
