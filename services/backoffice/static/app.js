// @ts-check
// The script of the pages. They work without it, less smoothly.
//
//   data-swap="#a, #b"       on a link or form: fetches its page, and replaces only the elements that match the selectors;
//                            on a button: overrides data-swap of its form; if it is empty, the browser loads the page
//   data-auto                on a form: sends it as it is filled in
//   data-search              on an input: the key / moves the focus there
//   data-check-all="name"    on a checkbox: checks all checkboxes with the name in its form
//   data-dialog="#id"        on a button or link: opens the dialog; data-close inside it closes it
//   data-fragment            on an input: moves the fragment of the URL into it
//   data-copy="#id"          on a hidden button: shows it; it copies the text of the element, and then has the text data-copied
//   data-print               on a hidden button: shows it; it prints the page
//   data-until="RFC 3339"    on an element: shows data-label with the time that is left for {left}, and hides it when none is left
"use strict";

(() => {
	/** @type {AbortController | undefined} Aborts the last fetch of a link, a filter or an automatic form, when a newer one replaces it. */
	let newest;

	/**
	 * A request whose answer replaces parts of the page.
	 * @typedef {object} Swap
	 * @property {string} url
	 * @property {RequestInit} [init] of a form with the method POST
	 * @property {string} selectors
	 * @property {boolean} [auto] whether a form was sent as it was filled in; Back skips all but the first of several in a row
	 * @property {boolean} [back] whether the history has the URL already
	 * @property {() => void} leave loads the page as if there were no script
	 */

	/**
	 * Sends a request and replaces parts of the page. It reports whether it did.
	 * @param {Swap} s
	 */
	async function swap(s) {
		const olds = [...document.querySelectorAll(s.selectors)];
		const abort = new AbortController();
		if (!s.init || s.auto) {
			newest?.abort();
			newest = abort;
		}
		for (const old of olds) old.setAttribute("aria-busy", "true");
		try {
			const response = await fetch(s.url, { ...s.init, headers: { Accept: "text/html" }, signal: abort.signal });
			const html = response.headers.get("Content-Type")?.startsWith("text/html");
			const page = new DOMParser().parseFromString(await response.text(), "text/html");
			const news = [...page.querySelectorAll(s.selectors)];
			const at = new URL(response.url);
			if (!html || olds.length === 0 || news.length !== olds.length || at.origin !== location.origin || at.pathname === "/login") {
				s.leave();
				return false;
			}
			replace(olds, news);
			document.title = page.title;
			if (!s.back && (!s.init || response.redirected)) {
				history[s.auto && history.state?.auto ? "replaceState" : "pushState"]({ auto: s.auto }, "", at);
			}
			announce(news);
			return true;
		} catch {
			if (!abort.signal.aborted && !(s.init && s.auto)) s.leave(); // an automatic form is sent again as typing goes on
			return false;
		} finally {
			for (const old of olds) old.removeAttribute("aria-busy");
		}
	}

	/**
	 * Replaces elements. If the focus was in one of them, it moves to the new element with the same id or name.
	 * @param {Element[]} olds
	 * @param {Element[]} news
	 */
	function replace(olds, news) {
		const focused = document.activeElement;
		const inside = olds.findIndex(old => old.contains(focused));
		const range = focused instanceof HTMLInputElement && focused.type !== "email" && focused.type !== "number" ? focused.selectionStart : null;
		olds.forEach((old, i) => old.replaceWith(document.adoptNode(news[i])));
		for (const fresh of news) prepare(fresh);
		if (inside < 0 || !focused) return;
		const name = focused.getAttribute("name");
		const same = (focused.id && document.getElementById(focused.id)) ||
			(name && news[inside].querySelector(`[name="${CSS.escape(name)}"]`)) || news[inside];
		if (!(same instanceof HTMLElement)) return;
		if (same === news[inside] && !same.hasAttribute("tabindex")) same.tabIndex = -1;
		same.focus({ preventScroll: true });
		if (range !== null && same instanceof HTMLInputElement) same.setSelectionRange(range, range);
		if (same === news[inside] && same.getBoundingClientRect().top < 0) same.scrollIntoView();
	}

	/**
	 * Announces new elements to screen readers.
	 * @param {Element[]} news
	 */
	function announce(news) {
		const live = document.getElementById("live");
		const said = news.map(fresh => fresh.querySelector(".note, .empty")?.textContent?.trim()).find(text => text);
		if (live) live.textContent = said || document.title;
	}

	/**
	 * Sends a form with data-swap.
	 * @param {HTMLFormElement} form
	 * @param {HTMLElement | null} submitter
	 * @param {boolean} auto whether it is sent as it is filled in
	 */
	async function send(form, submitter, auto) {
		const data = new FormData(form, submitter);
		const url = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
		const selectors = submitter?.dataset.swap ?? form.dataset.swap ?? "";
		if (form.method === "get") {
			const query = new URLSearchParams();
			for (const [name, value] of data) if (typeof value === "string" && value !== "") query.append(name, value);
			url.search = query.toString();
			await swap({ url: url.href, selectors, auto, leave: () => location.assign(url) });
			return;
		}
		const body = new URLSearchParams();
		for (const [name, value] of data) if (typeof value === "string") body.append(name, value);
		if (!auto) sending(form, true);
		const replaced = await swap({
			url: url.href, init: { method: "POST", body }, selectors, auto,
			leave: () => { // with the same idempotency key, so it is done only once
				sending(form, false);
				form.removeAttribute("data-swap");
				submitter?.removeAttribute("data-swap");
				form.requestSubmit(submitter);
			},
		});
		if (replaced && !auto) sending(form, false);
	}

	/**
	 * Disables the buttons of a form while it is being sent. It waits until the browser has read which one was pressed.
	 * @param {HTMLFormElement} form
	 * @param {boolean} on
	 */
	function sending(form, on) {
		form.toggleAttribute("data-sending", on);
		const set = () => {
			for (const control of form.elements) if (control instanceof HTMLButtonElement) control.disabled = form.hasAttribute("data-sending");
		};
		if (on) setTimeout(set);
		else set();
	}

	/**
	 * Returns the element around the target of an event that matches.
	 * @param {Event} event
	 * @param {string} selector
	 * @returns {HTMLElement | null}
	 */
	function around(event, selector) {
		const found = event.target instanceof Element ? event.target.closest(selector) : null;
		return found instanceof HTMLElement ? found : null;
	}

	document.addEventListener("click", event => {
		if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
		const opener = around(event, "[data-dialog]");
		const dialog = opener && document.querySelector(opener.dataset.dialog ?? "");
		if (dialog instanceof HTMLDialogElement) {
			event.preventDefault();
			dialog.showModal();
			return;
		}
		if (around(event, "[data-print]")) print();
		const closer = around(event, "dialog [data-close]");
		if (closer) {
			event.preventDefault();
			closer.closest("dialog")?.close();
			return;
		}
		const copier = around(event, "[data-copy]");
		if (copier) {
			const copied = document.querySelector(copier.dataset.copy ?? "");
			if (!copied) return;
			getSelection()?.selectAllChildren(copied); // to be copied by hand if the browser refuses
			navigator.clipboard.writeText(copied.textContent ?? "").then(() => { copier.textContent = copier.dataset.copied ?? ""; }, () => {});
			return;
		}
		const link = around(event, "a[data-swap]");
		if (!(link instanceof HTMLAnchorElement) || link.target || link.origin !== location.origin) return;
		event.preventDefault();
		swap({ url: link.href, selectors: link.dataset.swap ?? "", leave: () => location.assign(link.href) });
	});

	document.addEventListener("submit", event => {
		const form = event.target;
		if (!(form instanceof HTMLFormElement) || form.method === "dialog" || event.defaultPrevented) return;
		if (form.hasAttribute("data-sending")) { // pressed twice
			event.preventDefault();
			return;
		}
		clearTimeout(typing);
		if (form.hasAttribute("data-auto")) newest?.abort();
		if (event.submitter?.dataset.swap ?? form.dataset.swap) {
			event.preventDefault();
			send(form, event.submitter, false);
		} else if (form.method === "post") {
			sending(form, true);
		}
	});

	// A page from the back-forward cache has its form with the same key, and disabled buttons.
	addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(form => {
		if (form instanceof HTMLFormElement) sending(form, false);
	}));

	// Only entries of the history that swap has added cause this event.
	addEventListener("popstate", () => swap({ url: location.href, selectors: "main", back: true, leave: () => location.reload() }));

	/** @type {number | undefined} */
	let typing;
	document.addEventListener("input", event => {
		const form = around(event, "form[data-auto]");
		if (!(form instanceof HTMLFormElement)) return;
		clearTimeout(typing);
		if (form.method === "post") newest?.abort(); // its answer would replace what is being typed
		typing = setTimeout(() => {
			if (!form.checkValidity()) return;
			if (form.dataset.swap) send(form, null, true);
			else form.requestSubmit();
		}, 250);
	});

	document.addEventListener("change", event => {
		const box = event.target;
		const form = box instanceof HTMLInputElement && box.type === "checkbox" ? box.form : null;
		const all = form?.querySelector("[data-check-all]");
		if (!form || !(all instanceof HTMLInputElement)) return;
		/** @type {NodeListOf<HTMLInputElement>} */
		const found = form.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(all.dataset.checkAll ?? "")}"]`);
		const boxes = [...found];
		if (box === all) for (const one of boxes) one.checked = all.checked;
		const checked = boxes.filter(one => one.checked).length;
		all.checked = checked > 0 && checked === boxes.length;
		all.indeterminate = checked > 0 && !all.checked;
	});

	document.addEventListener("keydown", event => {
		const at = event.target;
		if (event.key !== "/" || event.metaKey || event.ctrlKey || event.altKey || document.querySelector("dialog[open]")) return;
		if (at instanceof HTMLElement && (at.isContentEditable || at.matches("input:not([type=checkbox], [type=radio]), textarea, select"))) return;
		const search = document.querySelector("[data-search]");
		if (!(search instanceof HTMLInputElement)) return;
		event.preventDefault();
		search.focus();
		search.select();
	});

	/**
	 * Shows the time that is left until a deadline, as minutes and seconds, and hides the element when it is over.
	 * @param {HTMLElement} element
	 */
	function countDown(element) {
		const left = Math.ceil((Date.parse(element.dataset.until ?? "") - Date.now()) / 1000);
		element.hidden = !(left > 0);
		if (element.hidden || !element.isConnected) return;
		const [h, m, s] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
		const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
		element.textContent = (element.dataset.label ?? "{left}").replace("{left}", h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`);
		setTimeout(countDown, 1000, element);
	}

	/**
	 * Starts what a part of the page does by itself.
	 * @param {ParentNode} part
	 */
	function prepare(part) {
		part.querySelectorAll("[data-copy]").forEach(element => element instanceof HTMLElement && (element.hidden = !navigator.clipboard));
		part.querySelectorAll("[data-print]").forEach(button => button.removeAttribute("hidden"));
		part.querySelectorAll("[data-until]").forEach(element => element instanceof HTMLElement && countDown(element));
	}
	prepare(document);

	const secret = document.querySelector("input[data-fragment]");
	if (secret instanceof HTMLInputElement && location.hash.length > 1) {
		secret.value = location.hash.slice(1);
		history.replaceState(null, "", location.pathname + location.search);
	}

	// The cookie sets the time zone of the next pages. This page is fetched again if it has times of another zone.
	const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
	const { dataset } = document.documentElement;
	if (zone && dataset.zoneSource === "default") {
		document.cookie = `tz=${encodeURIComponent(zone)}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
		const [navigation] = performance.getEntriesByType("navigation");
		const answered = navigation instanceof PerformanceNavigationTiming && navigation.responseStatus === 200;
		if (zone !== dataset.zone && answered && document.querySelector("main time")) {
			dataset.zoneSource = "browser";
			swap({ url: location.href, selectors: "main", back: true, leave: () => {} });
		}
	}
})();
