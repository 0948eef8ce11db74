/** Reports of the spend on LLM calls by user, team, organisation, key, provider, model and time. */
@NullMarked
package dev.sluice.llm.spend;

import org.jspecify.annotations.NullMarked;
