package dev.sluice.service.api.identities;

import jakarta.ws.rs.Path;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.EndpointAuthorization;

/** Admin endpoints of teams. */
@ServiceEndpoint
@Path("/v1/teams")
public class TeamsResource extends NamedIdentities {

    TeamsResource(IdentityEndpoint endpoint, EndpointAuthorization authorization) {
        super(IdentityKind.TEAM, endpoint, authorization);
    }
}
