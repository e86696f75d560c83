// A standard OpenID provider for tests, on loopback. It ends when its standard input closes.
import { Provider } from "oidc-provider";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

const [port, redirect, publicKey] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const issuer = `http://127.0.0.1:${port}`;
process.stdin.on("end", () => process.exit(0)).resume();

const key = (kid) => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid,
  use: "sig",
  alg: "RS256",
});
// Who signs in next, and what the provider is to say of them; a test sets it with POST /next.
let next = {};

const client = (id, more) => ({
  client_id: id,
  redirect_uris: redirect.split(" "),
  post_logout_redirect_uris: ["http://127.0.0.1:8030/desk/sign-in"],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  ...more,
});
// A program with a mailbox: its id is the mailbox's name, which is what its token stands for.
const mailProgram = {
  client_id: "personvern@fjordscenen.example",
  client_secret: "s3cret",
  redirect_uris: [],
  response_types: [],
  grant_types: ["client_credentials"],
  token_endpoint_auth_method: "client_secret_post",
};
const provider = new Provider(issuer, {
  clients: [
    mailProgram,
    { ...mailProgram, client_id: "mail-server", token_endpoint_auth_method: "client_secret_basic" },
    client("basic", { client_secret: "s3cret +/%", token_endpoint_auth_method: "client_secret_basic" }),
    client("post", { client_secret: "s3cret", token_endpoint_auth_method: "client_secret_post" }),
    client("key", {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [JSON.parse(publicKey)] },
    }),
  ],
  acrValues: ["idporten-loa-substantial", "idporten-loa-high", "idporten-loa-low", "urn:bankid:bid"],
  claims: {
    openid: ["sub", "pid", "nnin_altsub", "name", "birthdate", "email", "email_verified", "phone_number", "groups"],
    acr: null,
  },
  conformIdTokenClaims: false,
  scopes: ["openid", "profile", "nnin_altsub", "name", "phoneNumber", "email", "birthDate"],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
  },
  pkce: { required: () => true },
  jwks: { keys: [key("first")] },
  cookies: { keys: ["for-tests-only"] },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...next.claims }) }),
});

const handle = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === "/next") {
    let body = "";
    for await (const piece of request) body += piece;
    next = JSON.parse(body);
    return response.writeHead(204).end();
  }
  if (url.pathname.startsWith("/interaction/")) {
    const { prompt, params } = await provider.interactionDetails(request, response);
    if (next.error) {
      return provider.interactionFinished(request, response, { error: next.error });
    }
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, {
        login: { accountId: next.claims.sub, acr: next.acr },
      });
    }
    const grant = new provider.Grant({ accountId: next.claims.sub, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  }
  return handle(request, response);
}).listen(port, "127.0.0.1");
