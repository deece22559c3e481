/* The consent banner of the sample site: asks once, and tells the tracker the answer. */
(() => {
  const ANSWER = "sample_site_consent";
  const banner = document.getElementById("consent");

  function answer(said) {
    localStorage.setItem(ANSWER, said);
    banner.hidden = true;
    window.baton?.consent(said === "yes");
  }

  for (const button of banner.querySelectorAll("[data-consent-answer]")) {
    button.addEventListener("click", () => answer(button.dataset.consentAnswer));
  }
  // Whoever sends the Global Privacy Control has answered already.
  banner.hidden = Boolean(localStorage.getItem(ANSWER)) || Boolean(navigator.globalPrivacyControl);
})();
