import { post } from "./api.js";

const form = document.getElementById("login");
const problem = document.getElementById("problem");

for (const demo of document.querySelectorAll(".demo")) {
  demo.addEventListener("click", () => {
    form.elements.tenant.value = "demo";
    form.elements.email.value = demo.dataset.email;
    form.elements.password.value = demo.dataset.password;
    form.requestSubmit();
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const send = form.querySelector("[type=submit]");
  problem.textContent = "";
  send.disabled = true;
  try {
    await post("/login", {
      tenant: form.elements.tenant.value.trim(),
      email: form.elements.email.value,
      password: form.elements.password.value,
    });
    location.assign(onward());
  } catch (error) {
    problem.textContent = error.message;
    form.elements.password.select();
  } finally {
    send.disabled = false;
  }
});

// Only ever to a page of the console: an address from outside is not followed.
function onward() {
  const next = new URLSearchParams(location.search).get("next") || "";
  return /^\/console(\/[A-Za-z0-9_\-/]*)?$/.test(next) ? next : "/console";
}
