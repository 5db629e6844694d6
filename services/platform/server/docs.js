// Swagger UI for the contract in data-contract, with a login form.
const page = document.getElementById('swagger-ui').dataset;

let token; // stored nowhere else
let loggedOut = () => {};

const ui = SwaggerUIBundle({
  dom_id: '#swagger-ui',
  url: page.contract,
  plugins: [SwaggerUIBundle.plugins.DownloadUrl, {
    statePlugins: {
      spec: { wrapActions: { updateJsonSpec: show => contract => show(forPeople(contract)) } },
      auth: {
        wrapActions: {
          authorize: enter => schemes => { token = schemes.bearerAuth?.value; return enter(schemes); },
          logout: leave => names => { token = undefined; loggedOut(); return leave(names); },
        },
      },
    },
  }],
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  showExtensions: true, // x-roles
  validatorUrl: null, // the default is a service on the internet
});

// forPeople removes the operations that do not take the token of the dialog. It also keeps the form from sending values that the user has not typed: a PUT or PATCH starts empty and offers the example, and the idempotency key is blank.
function forPeople(contract) {
  const ours = 'bearerAuth';
  for (const name of Object.keys(contract.components?.securitySchemes ?? {})) {
    if (name !== ours) delete contract.components.securitySchemes[name];
  }
  for (const [path, item] of Object.entries(contract.paths ?? {})) {
    const operations = Object.entries(item).filter(([, operation]) => operation.responses);
    let left = operations.length;
    for (const [method, operation] of operations) {
      const security = operation.security?.filter(scheme => ours in scheme || Object.keys(scheme).length === 0);
      if (operation.security?.length > 0 && security.length === 0) {
        delete item[method];
        left--;
        continue;
      }
      if (security) operation.security = security;
      operation.parameters = operation.parameters?.filter(({ $ref }) => !contract.components?.parameters?.[$ref?.split('/').pop()]?.['x-service']);
      const body = operation.requestBody?.content?.['application/json'];
      if (body && (method === 'put' || method === 'patch')) {
        body.examples = { nothing: { summary: 'Empty', value: {} }, example: { summary: 'Example', value: body.example } };
        delete body.example;
      }
      if (body?.example?.idempotency_key) body.example.idempotency_key = '';
    }
    if (left === 0) delete contract.paths[path];
  }
  const used = Object.values(contract.paths ?? {}).flatMap(item => Object.values(item).flatMap(operation => operation.tags ?? []));
  contract.tags = contract.tags?.filter(tag => used.includes(tag.name));
  return contract;
}

if (page.login) {
  document.body.insertAdjacentHTML('afterbegin', `
    <form id="login">
      <fieldset>
        <label>User <input name="username" autocomplete="username" required></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Log in</button>
      </fieldset>
      <output></output>
      <button type="button" hidden>Log out</button>
    </form>`);
  const form = document.getElementById('login');
  const [fields, logout, said] = ['fieldset', '[type=button]', 'output'].map(part => form.querySelector(part));
  const loggedIn = yes => { fields.hidden = yes; logout.hidden = !yes; };
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const credentials = Object.fromEntries(new FormData(form));
    try {
      const answer = await fetch(page.login, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(credentials),
      });
      const body = await answer.json();
      if (!answer.ok) {
        said.value = body.detail;
        form.elements.password.value = '';
        form.elements.password.focus();
        return;
      }
      token = body.access_token;
      ui.preauthorizeApiKey('bearerAuth', token);
      const end = new Date(Date.now() + body.expires_in * 1000);
      form.reset();
      said.value = `Logged in as ${credentials.username} until ${end.toLocaleTimeString()}.`;
      loggedIn(true);
    } catch {
      said.value = `${new URL(page.login, location)} does not respond.`;
    }
  });
  logout.addEventListener('click', () => ui.authActions.logout(['bearerAuth']));
  loggedOut = () => { said.value = ''; loggedIn(false); };
}
