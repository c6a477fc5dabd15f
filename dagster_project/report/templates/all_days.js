
const wanted = document.getElementById("wanted");
const show = () => {
  const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const month of document.querySelectorAll("section")) {
    let inMonth = 0;
    for (const line of month.querySelectorAll(".headlines li")) {
      const text = line.textContent.toLowerCase() + " " + line.firstElementChild.dateTime;
      line.hidden = !words.every((word) => text.includes(word));
      inMonth += !line.hidden;
    }
    month.hidden = !inMonth;
    count += inMonth;
  }
  document.getElementById("found").value = count === 1 ? "1 day" : count + " days";
};
if (wanted) {
  wanted.addEventListener("input", show);
  wanted.form.addEventListener("submit", (event) => event.preventDefault());
}
