/**
 * Public clients for calls of language models, and their implementation. Users import
 * {@link dev.sluice.llm.client.LlmClients}, {@link dev.sluice.llm.client.LlmClient},
 * {@link dev.sluice.llm.client.LlmCallScope}, {@link dev.sluice.llm.client.LlmRateLimitFilter} and
 * {@link dev.sluice.llm.client.LlmException}; the other types are internal.
 */
@NullMarked
package dev.sluice.llm.client;

import org.jspecify.annotations.NullMarked;
