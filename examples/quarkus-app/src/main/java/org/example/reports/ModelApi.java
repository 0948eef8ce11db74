package org.example.reports;

import dev.sluice.llm.LlmProvider;
import dev.sluice.llm.client.LlmRateLimitFilter;


import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;

import org.eclipse.microprofile.rest.client.annotation.RegisterProvider;
import org.eclipse.microprofile.rest.client.inject.RegisterRestClient;

import io.smallrye.mutiny.Uni;

/** A REST client of the application's own, limited by Sluice. */
@RegisterRestClient(configKey = "model")
@RegisterProvider(LlmRateLimitFilter.class)
@LlmProvider("openai")
@Path("/v1")
public interface ModelApi {

    @POST
    @Path("/chat/completions")
    Uni<String> chat(String body);
}
