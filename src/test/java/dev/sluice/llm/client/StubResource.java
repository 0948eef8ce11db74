package dev.sluice.llm.client;

import java.nio.charset.StandardCharsets;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;

import org.eclipse.microprofile.rest.client.inject.RestClient;

import io.smallrye.mutiny.Uni;

/** An endpoint that calls a model. */
@Path("/chat")
public class StubResource {

    @RestClient
    StubClients.Limited client;

    @GET
    public String chat() {
        return client.chat(LlmTest.CHAT);
    }

    @GET
    @Path("/async")
    public Uni<String> chatAsync() {
        return client.chatAsync(LlmTest.CHAT.getBytes(StandardCharsets.UTF_8));
    }
}
